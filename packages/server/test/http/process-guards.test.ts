import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

const guards = new URL('../../src/entry/http/process-guards.ts', import.meta.url).href;

/** Runs a program of its own, because what is guarded is the process. */
async function run(program: string): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, [
    '--conditions=dev-source',
    '--input-type=module',
    '-e',
    `import { installProcessGuards } from ${JSON.stringify(guards)};\n${program}`,
  ]);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, lines: text.split('\n').filter(Boolean) };
}

const onFatal = `onFatal: (fault, thrown) => { console.log('fatal', fault, thrown.message); setImmediate(() => setImmediate(() => { console.log('drained'); process.exit(1); })); }`;

test.each([
  ['uncaught_exception', `setImmediate(() => { throw new Error('lost'); });`],
  ['unhandled_rejection', `Promise.reject(new Error('lost'));`],
])('after an %s the process gets to drain, and exits non-zero', async (fault, cause) => {
  expect(await run(`installProcessGuards({ ${onFatal} });\n${cause}`)).toEqual({ code: 1, lines: [`fatal ${fault} lost`, 'drained'] });
});

test('faults on the way down do not start it again', async () => {
  const program = `installProcessGuards({ ${onFatal}, onFurther: (fault, thrown) => console.log('further', fault, thrown.message) });
    setImmediate(() => { throw new Error('first'); });
    setImmediate(() => { throw new Error('second'); });`;
  const { code, lines } = await run(program);
  expect(code).toBe(1);
  expect(lines.filter((line) => line.startsWith('fatal'))).toEqual(['fatal uncaught_exception first']);
  expect(lines).toContain('further uncaught_exception second');
});

test('without the guards, once they are taken away, Node decides', async () => {
  const { code, lines } = await run(`installProcessGuards({ ${onFatal} })();\nPromise.reject(new Error('lost'));`);
  expect([code, lines]).toEqual([1, []]);
});

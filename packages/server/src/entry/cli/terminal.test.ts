import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from 'vitest';

const terminal = path.join(import.meta.dirname, 'terminal.ts');

/** Writes far more than a pipe holds, in pieces, and says on standard error that it came to the end. */
const program = `
import { processTerminal } from ${JSON.stringify(terminal)};
for (let piece = 0; piece < 50; piece += 1) {
  processTerminal.out('x'.repeat(100_000));
  await new Promise((resolve) => setTimeout(resolve, 1));
}
processTerminal.error('done ' + String(processTerminal.interactive));
`;

function start() {
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function errorText(child: ReturnType<typeof start>): Promise<string> {
  let text = '';
  for await (const chunk of child.stderr) text += String(chunk);
  return text;
}

test('a reader that goes away early is no failure: no stack, exit code 0', async () => {
  const child = start();
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [text, [code]] = await Promise.all([errorText(child), once(child, 'exit') as Promise<[number]>]);
  expect(text).toMatch(/^done false$/);
  expect(code).toBe(0);
});

test('what is written to standard output arrives there whole', async () => {
  const child = start();
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => (length += chunk.length));
  const [text] = await Promise.all([errorText(child), once(child, 'close')]);
  expect(text).toMatch(/^done/);
  expect(length).toBe(5_000_000);
});

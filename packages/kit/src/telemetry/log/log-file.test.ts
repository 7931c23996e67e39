import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFakeClock } from '../../testing/index.ts';
import type { RotationOptions } from './log-file.ts';
import { createLogger } from './logger.ts';

async function scene(rotation?: RotationOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'logs', 'holdfast.log');
  const clock = createFakeClock({ nowMs: Date.now() });
  const log = await createLogger({ clock, sink: { write() {} }, file, ...(rotation && { rotation }) });
  let at = 0;
  return {
    folder: join(folder, 'logs'),
    file,
    /** Writes so many lines of some 1,000 bytes, numbered, and waits until they are there. */
    async write(lines: number): Promise<void> {
      for (let line = 0; line < lines; line++) log.logger.info({ n: ++at, text: 'x'.repeat(920) }, 'line');
      await log.flush();
      clock.advance(1_000);
      // What is reopened by the first is waited for by the second.
      await log.flush();
    },
    numbersIn: (name: string) =>
      readFileSync(name, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { n: number }).n),
  };
}

test('a file that is full makes room for a new one, so many are kept, and no line is lost between two', async () => {
  const { folder, file, write, numbersIn } = await scene({ maxBytes: 5_000, maxFiles: 3 });
  for (let round = 0; round < 12; round++) await write(2);

  const files = readdirSync(folder).toSorted();
  expect(files).toStrictEqual(['holdfast.log', 'holdfast.log.1', 'holdfast.log.2', 'holdfast.log.3']);
  const kept = [3, 2, 1].flatMap((number) => numbersIn(`${file}.${number}`));
  const current = readFileSync(file, 'utf8') === '' ? [] : numbersIn(file);
  const all = [...kept, ...current];
  expect(all.at(-1)).toBe(24);
  expect(all).toStrictEqual(Array.from({ length: all.length }, (_, index) => 24 - all.length + 1 + index));
  expect(all.length).toBeGreaterThanOrEqual(15);
});

test('files that are too old go as well', async () => {
  const { folder, file, write } = await scene({ maxBytes: 1_500, maxFiles: 9, maxAgeMs: 3_600_000 });
  for (const number of [1, 2]) writeFileSync(`${file}.${number}`, 'old\n');
  const longAgo = Date.now() / 1_000 - 7_200;
  utimesSync(`${file}.2`, longAgo, longAgo);
  writeFileSync(`${file}.notes`, 'not ours\n');
  await write(2);

  expect(readdirSync(folder).toSorted()).toStrictEqual(['holdfast.log', 'holdfast.log.1', 'holdfast.log.2', 'holdfast.log.notes']);
  expect(readFileSync(`${file}.2`, 'utf8')).toBe('old\n');
});

test('a file that somebody removes or moves away, or whose folder is gone, is made anew', async () => {
  const { folder, file, write, numbersIn } = await scene();
  await write(1);
  rmSync(file);
  await write(1);
  await write(1);
  expect(numbersIn(file).at(-1)).toBe(3);
  renameSync(file, join(folder, 'moved.log'));
  await write(1);
  await write(1);
  expect(numbersIn(file).at(-1)).toBe(5);
  rmSync(folder, { recursive: true });
  await write(1);
  await write(1);
  expect(numbersIn(file).at(-1)).toBe(7);
});

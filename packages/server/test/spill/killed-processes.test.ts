import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { systemRandom } from '@holdfast/kit/time';
import { Spill } from '../../src/platform/spill/index.ts';

const program = fileURLToPath(new URL('appending-main.ts', import.meta.url));
const node = [process.execPath, '--conditions=dev-source', program] as const;

/** Runs the program until it has said `lines` lines, or ends by itself, and returns all that it said. */
async function run(command: readonly string[], lines: number): Promise<string[]> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (bytes) => {
    said += String(bytes);
    if (said.split('\n').length > lines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  // The last line may be cut.
  return said.split('\n').slice(0, -1);
}

async function replayed(folder: string): Promise<string[]> {
  const rows: string[] = [];
  const spill = await Spill.open({ folder, keyOf: () => Buffer.alloc(32, 1), keyVersion: 1, random: systemRandom, maxBytes: 50_000_000 });
  await spill.replay({
    applied: async () => 0,
    apply: async (_segment, _from, records) => void rows.push(...records.map((record) => String(record).split(':').slice(0, 2).join(':'))),
    forget: async () => {},
  });
  await spill.close();
  return rows;
}

test('processes that are killed while they write lose nothing of what they said is kept', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-spill-'));
  const kept: string[] = [];
  for (const [at, lines] of [1, 40, 173].entries()) kept.push(...(await run([...node, folder, String(at)], lines)));
  const rows = await replayed(folder);
  const known = new Set(rows);
  expect(kept.length).toBeGreaterThan(200);
  expect(kept.filter((name) => !known.has(name))).toEqual([]);
  expect(known.size).toBe(rows.length);
  // In the order in which they were appended.
  const order = rows.map((name) => name.split(':').map(Number) as [number, number]);
  expect(order).toEqual(order.toSorted(([a, b], [c, d]) => a - c || b - d));
  await rm(folder, { recursive: true });
});

test.skipIf(process.platform === 'win32')('a disk that takes no more loses nothing of what was kept, and refuses the rest', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-spill-'));
  // The shell lets no file grow beyond 16 KiB: writes come to an end in the middle of a batch, as on a full disk.
  const said = await run(['bash', '-c', 'ulimit -f 16; exec "$@"', 'bash', ...node, folder, '0', '3000'], 60);
  const kept = said.filter((line) => line !== 'refused');
  expect(kept.length).toBeGreaterThan(0);
  expect(said).toContain('refused');
  const known = new Set(await replayed(folder));
  expect(kept.filter((name) => !known.has(name))).toEqual([]);
  await rm(folder, { recursive: true });
});

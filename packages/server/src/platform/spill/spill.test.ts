import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '@holdfast/kit/time';
import { Spill, SpillError, type ReplayTarget, type SpillOptions } from './index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-spill-'));
});
afterEach(() => rm(folder, { recursive: true }));

const open = (options: Partial<SpillOptions> = {}): Promise<Spill> =>
  Spill.open({
    folder,
    keyOf: (version) => Buffer.alloc(32, version),
    keyVersion: 1,
    random: systemRandom,
    maxBytes: 1_000_000,
    ...options,
  });

/** What a database does: rows and marker in one transaction, or neither. */
class Database implements ReplayTarget {
  readonly rows: string[] = [];
  readonly markers = new Map<string, number>();
  /** Called before and after each transaction; throws where the process or the database dies. */
  onStep: () => void = () => {};

  async applied(segment: string): Promise<number> {
    return this.markers.get(segment) ?? 0;
  }

  async apply(segment: string, from: number, records: readonly Buffer[]): Promise<void> {
    this.onStep();
    expect(this.markers.get(segment) ?? 0).toBe(from);
    this.rows.push(...records.map(String));
    this.markers.set(segment, from + records.length);
    this.onStep();
  }

  async forget(segment: string): Promise<void> {
    this.onStep();
    this.markers.delete(segment);
  }
}

const append = (spill: Spill, ...texts: string[]): Promise<void[]> => Promise.all(texts.map((text) => spill.append(Buffer.from(text))));

test('hands over in order what was kept, once, and is empty then', async () => {
  const spill = await open();
  const database = new Database();
  expect(spill.empty).toBe(true);
  await append(spill, 'a', 'b');
  await append(spill, 'c');
  expect(spill.empty).toBe(false);
  expect(await spill.replay(database)).toBe(3);
  expect(database.rows).toEqual(['a', 'b', 'c']);
  expect([spill.empty, spill.bytes, await readdir(folder), database.markers.size]).toEqual([true, 0, [], 0]);
  expect(await spill.replay(database)).toBe(0);
  await spill.close();
});

test('what one process kept the next one hands over, before its own', async () => {
  const first = await open();
  await append(first, 'a', 'b');
  await first.close();
  const second = await open();
  expect(second.empty).toBe(false);
  await append(second, 'c');
  const database = new Database();
  await second.replay(database);
  expect(database.rows).toEqual(['a', 'b', 'c']);
  await second.close();
});

test('takes what comes during the replay, and hands it over last', async () => {
  const spill = await open();
  await append(spill, 'a');
  const database = new Database();
  let more = ['b', 'c'];
  database.onStep = () => {
    const text = more.shift();
    if (text !== undefined) void append(spill, text);
  };
  await spill.replay(database);
  expect(database.rows).toEqual(['a', 'b', 'c']);
  await spill.close();
  more = [];
});

test('whenever the replay is broken off, each record is handed over once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer(), { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat({ max: 6 }), { maxLength: 6 }),
      async (groups, deaths) => {
        await rm(folder, { recursive: true });
        const database = new Database();
        const sent: string[] = [];
        let spill = await open({ maxBatch: 3, segmentBytes: 200 });
        for (const group of groups) {
          const texts = group.map((value, at) => `${sent.length + at}:${value}`);
          sent.push(...texts);
          await append(spill, ...texts);
        }
        for (const steps of deaths) {
          let left = steps;
          database.onStep = () => {
            if (left-- === 0) throw new Error('died');
          };
          await spill.replay(database).catch((error: unknown) => expect(String(error)).toContain('died'));
          // A new process, which knows nothing but the disk.
          await spill.close();
          spill = await open({ maxBatch: 3, segmentBytes: 200 });
        }
        database.onStep = () => {};
        await spill.replay(database);
        expect(database.rows).toEqual(sent);
        expect(await readdir(folder)).toEqual([]);
        await spill.close();
      },
    ),
    { numRuns: 20 },
  );
});

test('keeps no more than its bound, and says so to whoever comes', async () => {
  const spill = await open({ maxBytes: 400 });
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => spill.append(Buffer.alloc(50, 'x'))));
  const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  expect(refused.length).toBeGreaterThan(10);
  expect(refused.every(({ reason }) => reason instanceof SpillError && reason.kind === 'full')).toBe(true);
  expect(spill.bytes).toBeLessThan(600);
  const database = new Database();
  expect(await spill.replay(database)).toBe(20 - refused.length);
  await append(spill, 'there is room again');
  await spill.close();
});

test('a disk that is gone rejects, and does not stop what comes when it is back', async () => {
  const spill = await open();
  await rm(folder, { recursive: true });
  await expect(spill.append(Buffer.from('a'))).rejects.toMatchObject({ kind: 'disk' });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await append(spill, 'b');
  const database = new Database();
  await spill.replay(database);
  expect(database.rows).toEqual(['b']);
  await spill.close();
});

test('the torn end of a crashed process is left out', async () => {
  const first = await open();
  await append(first, 'a');
  await first.close();
  const file = path.join(folder, (await readdir(folder))[0]!);
  await appendFile(file, 'HFSB and then the power went');
  const second = await open();
  const database = new Database();
  await second.replay(database);
  expect(database.rows).toEqual(['a']);
  await second.close();
});

test('a file that was changed is named, and nothing behind it is handed over', async () => {
  const first = await open();
  await append(first, 'a');
  await append(first, 'b');
  await first.close();
  const name = (await readdir(folder))[0]!;
  const bytes = await readFile(path.join(folder, name));
  bytes[60]! ^= 1;
  await writeFile(path.join(folder, name), bytes);
  const second = await open();
  await append(second, 'c');
  const database = new Database();
  await expect(second.replay(database)).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringContaining(name) });
  expect(database.rows).toEqual([]);
  await second.close();
});

test('a file that lost records that were confirmed is named, by the process that wrote it and by the marker of a replay', async () => {
  const spill = await open();
  await append(spill, 'a');
  const [name] = await readdir(folder);
  const { size } = await stat(path.join(folder, name!));
  await append(spill, 'b');
  await truncate(path.join(folder, name!), size);
  await expect(spill.replay(new Database())).rejects.toMatchObject({ kind: 'corrupt' });
  await spill.close();
  const next = await open();
  const database = new Database();
  database.applied = async () => 2;
  await expect(next.replay(database)).rejects.toMatchObject({ kind: 'corrupt' });
  await next.close();
});

test('reads what a former master key sealed', async () => {
  const first = await open({ keyVersion: 1 });
  await append(first, 'a');
  await first.close();
  const second = await open({ keyVersion: 2 });
  await append(second, 'b');
  const database = new Database();
  await second.replay(database);
  expect(database.rows).toEqual(['a', 'b']);
  await second.close();
});

test('one replay at a time, and nothing is kept after the end', async () => {
  const spill = await open();
  await append(spill, 'a');
  const both = await Promise.allSettled([spill.replay(new Database()), spill.replay(new Database())]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  await spill.close();
  await expect(spill.append(Buffer.from('b'))).rejects.toMatchObject({ kind: 'closed' });
});

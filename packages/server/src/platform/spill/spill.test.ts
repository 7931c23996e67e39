import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '@holdfast/kit/time';
import { Spill, SpillError, type ReplayTarget, type SetAside, type SpillOptions } from './index.ts';

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

/** Files that a replay could not finish, as it told them. */
function asides() {
  const told: SetAside[] = [];
  return { told, onSetAside: (found: SetAside) => void told.push(found) };
}

test('a file that was changed is set aside and named; what it proves of itself and what is behind it is handed over', async () => {
  const first = await open();
  await append(first, 'a');
  await append(first, 'b');
  await append(first, 'c');
  await first.close();
  const name = (await readdir(folder))[0]!;
  const bytes = await readFile(path.join(folder, name));
  bytes[bytes.indexOf('HFSB', 60) + 25]! ^= 1;
  await writeFile(path.join(folder, name), bytes);
  const { told, onSetAside } = asides();
  const second = await open({ onSetAside });
  await append(second, 'd');
  const database = new Database();
  expect(await second.replay(database)).toBe(3);
  expect(database.rows).toEqual(['a', 'c', 'd']);
  expect(told).toMatchObject([{ path: path.join(folder, `${name}.corrupt`), reason: 'corrupt', salvaged: 2, error: { kind: 'corrupt' } }]);
  // It stays for whoever can make more of it, and is not read again.
  expect(await readdir(folder)).toEqual([`${name}.corrupt`]);
  expect(await readFile(path.join(folder, `${name}.corrupt`))).toEqual(bytes);
  await second.close();
});

test('whenever the salvage of a damaged file is broken off, each of its records is handed over once', async () => {
  const first = await open({ maxBatch: 1 });
  await append(first, 'a', 'b', 'c', 'd');
  await first.close();
  const name = (await readdir(folder))[0]!;
  const bytes = await readFile(path.join(folder, name));
  bytes[bytes.indexOf('HFSB', 60) + 25]! ^= 1;
  const steps = 2 * 3 + 1;
  for (let dies = 0; dies < steps; dies++) {
    await writeFile(path.join(folder, name), bytes);
    const database = new Database();
    let left = dies;
    database.onStep = () => {
      if (left-- === 0) throw new Error('died');
    };
    await (await open({ maxBatch: 1 })).replay(database).catch(() => {});
    database.onStep = () => {};
    await (await open({ maxBatch: 1 })).replay(database);
    expect(database.rows).toEqual(['a', 'c', 'd']);
    await rm(path.join(folder, `${name}.corrupt`));
  }
});

test('a file that lost records that were confirmed is named, by the process that wrote it and by the marker of a replay', async () => {
  const { told, onSetAside } = asides();
  const spill = await open({ onSetAside });
  await append(spill, 'a');
  const [name] = await readdir(folder);
  const { size } = await stat(path.join(folder, name!));
  const one = await readFile(path.join(folder, name!));
  await append(spill, 'b');
  await truncate(path.join(folder, name!), size);
  const database = new Database();
  await spill.replay(database);
  expect(database.rows).toEqual(['a']);
  expect(told).toMatchObject([{ reason: 'corrupt', salvaged: 1 }]);
  await spill.close();

  await writeFile(path.join(folder, name!), one);
  const next = await open({ onSetAside });
  const further = new Database();
  further.applied = async (segment) => (segment.endsWith('salvaged') ? 0 : 2);
  await next.replay(further);
  expect(told).toHaveLength(2);
  await next.close();
});

test('a file of a master key that is not known waits for a start that knows it, counts as used, and keeps nothing else from its place', async () => {
  const first = await open({ keyVersion: 1 });
  await append(first, 'a');
  const { bytes } = first;
  await first.close();
  const { told, onSetAside } = asides();
  const keyOf = (version: number): Buffer => {
    if (version === 1) throw new Error('no such version');
    return Buffer.alloc(32, version);
  };
  const second = await open({ keyVersion: 2, keyOf, onSetAside });
  await append(second, 'b');
  const database = new Database();
  await second.replay(database);
  expect([database.rows, second.empty, second.bytes]).toEqual([['b'], true, bytes]);
  expect(told).toMatchObject([{ reason: 'key', salvaged: 0 }]);
  await second.close();

  const third = await open({ keyVersion: 2 });
  await third.replay(database);
  expect(database.rows).toEqual(['b', 'a']);
  await third.close();
});

test('a folder that is removed under the process refuses at once, and takes again what comes when there is one', async () => {
  const { told, onSetAside } = asides();
  const spill = await open({ onSetAside });
  await append(spill, 'a');
  await rm(folder, { recursive: true });
  await expect(append(spill, 'lost')).rejects.toMatchObject({ kind: 'disk' });
  await expect(spill.probe()).rejects.toMatchObject({ kind: 'disk' });
  await mkdir(folder);
  await Promise.all([spill.probe(), append(spill, 'b'), spill.probe(), append(spill, 'c')]);
  const database = new Database();
  await spill.replay(database);
  expect(database.rows).toEqual(['b', 'c']);
  // What it had confirmed before is gone: that is said, not passed over.
  expect(told).toMatchObject([{ reason: 'missing', salvaged: 0 }]);
  expect(spill.empty).toBe(true);
  await spill.close();
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

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@holdfast/kit/time';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CheckValueStore, CheckValues } from './check-value.ts';
import { openKeyRing } from './open-key-ring.ts';

const keyA = `1:${Buffer.alloc(32, 'a1').toString('base64')}`;
const keyB = `1:${Buffer.alloc(32, 'b2').toString('base64')}`;
const keyA2 = `${keyA}\n2:${Buffer.alloc(32, 'c3').toString('base64')}`;

/** What the settings table does, in memory: values are added, never replaced. */
function memoryStore(): CheckValueStore & { stored: CheckValues | undefined } {
  return {
    stored: undefined,
    async read() {
      return this.stored;
    },
    async add(values) {
      this.stored = { ...values, ...this.stored };
      return this.stored;
    },
  };
}

let folder: string;
let keyFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-keyring-'));
  keyFile = join(folder, 'data', 'master-key');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (over: Partial<Parameters<typeof openKeyRing>[0]>) =>
  openKeyRing({ masterKey: undefined, keyFile: undefined, checkValues: memoryStore(), random: systemRandom, ...over });
const unusable = (detail: string | RegExp) => ({ code: 'master_key_unusable', message: expect.stringMatching(detail) });

test('the first start makes the file for its owner alone, and the next start reads the same key', async () => {
  const checkValues = memoryStore();
  const first = await open({ keyFile, checkValues });
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'data'))).toEqual(['master-key']);
  const again = await open({ keyFile, checkValues });
  expect(again.derive('x')).toEqual(first.derive('x'));
});

test('of starts that race for the file, all get the one key that is in it', async () => {
  const checkValues = memoryStore();
  const rings = await Promise.all(Array.from({ length: 8 }, () => open({ keyFile, checkValues })));
  expect(new Set(rings.map((ring) => ring.derive('x').toString('hex'))).size).toBe(1);
  expect(await readdir(join(folder, 'data'))).toEqual(['master-key']);
});

test('a configured key wins over the file and writes none', async () => {
  await open({ masterKey: keyA, keyFile });
  await expect(stat(keyFile)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a key that is not the one of the database is found at start', async () => {
  const checkValues = memoryStore();
  await open({ masterKey: keyA, checkValues });
  await expect(open({ masterKey: keyB, checkValues })).rejects.toMatchObject(unusable(/not the master key of this database/));
});

test('of two first starts with different keys, the one that comes second is refused', async () => {
  const checkValues = memoryStore();
  const results = await Promise.allSettled([open({ masterKey: keyA, checkValues }), open({ masterKey: keyB, checkValues })]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected']);
});

test('a shared database without a configured key is refused', async () => {
  await expect(open({})).rejects.toMatchObject(unusable(/no master key is configured/));
});

test('a lost key file is named as lost and not replaced', async () => {
  const checkValues = memoryStore();
  await open({ keyFile, checkValues });
  await rm(keyFile);
  await expect(open({ keyFile, checkValues })).rejects.toMatchObject(unusable(/is gone/));
  await expect(stat(keyFile)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a damaged key file is refused and left as it is', async () => {
  const damaged = join(folder, 'master-key');
  await writeFile(damaged, '1:short\n');
  await expect(open({ keyFile: damaged })).rejects.toMatchObject(unusable(/bytes instead of 32/));
  expect(await readFile(damaged, 'utf8')).toBe('1:short\n');
});

test('an unreadable place for the file is a clear fault', async () => {
  await writeFile(join(folder, 'data'), 'a file where a folder should be');
  await expect(open({ keyFile })).rejects.toMatchObject({ code: 'master_key_unusable' });
});

test('a new version joins the old one, and neither may be left out afterwards', async () => {
  const checkValues = memoryStore();
  const before = await open({ masterKey: keyA, checkValues });
  const after = await open({ masterKey: keyA2, checkValues });
  expect(after.version).toBe(2);
  expect(after.derive('x', 1)).toEqual(before.derive('x'));
  expect(Object.keys(checkValues.stored ?? {})).toEqual(['1', '2']);
  await expect(open({ masterKey: keyA, checkValues })).rejects.toMatchObject(unusable(/lacks version 2/));
});

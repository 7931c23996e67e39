import { systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabaseCheckValues, openKeyRing } from '../src/platform/keyring/index.ts';
import { startTestDatabase, type TestDatabase } from './support/postgres.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const keyA = Buffer.alloc(32, 'a1').toString('hex');
const keyB = Buffer.alloc(32, 'b2').toString('hex');

test('a database remembers its master key, and every instance with another is refused', async () => {
  const database = await (await postgres.createDatabase()).open();
  const open = (masterKey: string) =>
    openKeyRing({ masterKey, keyFile: undefined, checkValues: createDatabaseCheckValues(database), random: systemRandom });
  await open(keyA);
  expect((await open(keyA)).version).toBe(1);
  await expect(open(keyB)).rejects.toMatchObject({ code: 'master_key_unusable' });
  await open(`1:${keyA},2:${keyB}`);
  await expect(open(keyA)).rejects.toMatchObject({ code: 'master_key_unusable' });
});

test('of instances that start together with different keys, exactly those with one of them serve', async () => {
  const database = await (await postgres.createDatabase()).open();
  const results = await Promise.allSettled(
    [keyA, keyB, keyA, keyB, keyA, keyB].map((masterKey) =>
      openKeyRing({ masterKey, keyFile: undefined, checkValues: createDatabaseCheckValues(database), random: systemRandom }),
    ),
  );
  const derived = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.derive('x').toString('hex')] : []));
  expect(derived).toHaveLength(3);
  expect(new Set(derived).size).toBe(1);
});

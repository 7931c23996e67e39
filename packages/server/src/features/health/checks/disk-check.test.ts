import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { createDiskCheck, spaceOfFolder } from './disk-check.ts';

const gibibyte = 2 ** 30;
const spaces: Record<string, number> = { '/data': 5 * gibibyte, '/log': gibibyte - 1 };
const spaceOf = async (folder: string) => ({ freeBytes: spaces[folder]!, totalBytes: 10 * gibibyte });

test('goes by the fullest disk, and names it to operators only', async () => {
  const check = createDiskCheck({ folders: ['/data', '/log'], minFreeBytes: gibibyte, spaceOf });
  expect(await check()).toEqual({
    status: 'degraded',
    message: 'is nearly full',
    detail: '/log: 1023 MiB free of 10240 MiB',
    measurement: { name: 'free', value: gibibyte - 1, unit: 'bytes' },
  });
  expect(await createDiskCheck({ folders: ['/data'], minFreeBytes: gibibyte, spaceOf })()).toMatchObject({ message: 'has room' });
});

test('asks the operating system, and fails where it has no answer', async () => {
  const space = await spaceOfFolder(tmpdir());
  expect(space.totalBytes).toBeGreaterThanOrEqual(space.freeBytes);
  expect(space.freeBytes).toBeGreaterThan(0);
  await expect(createDiskCheck({ folders: ['/nowhere/at/all'], minFreeBytes: 1 })()).rejects.toThrow();
});

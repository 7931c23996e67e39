import type pg from 'pg';
import { expect, test } from 'vitest';
import { checkServer } from './server-check.ts';

/** What a server would answer; only old servers, which cannot be had here, are played. */
const server = (version: number, unsafe: string[] = []) =>
  ({ query: () => Promise.resolve({ rows: [{ version, login: 'me', unsafe }] }) }) as unknown as pg.Client;

test.each([9, 13, 14])('PostgreSQL %s is refused as too old', async (version) => {
  await expect(checkServer(server(version))).rejects.toMatchObject({
    code: 'database_version',
    message: `the server is PostgreSQL ${version}`,
  });
});

test.each([15, 16, 17, 18, 19])('PostgreSQL %s is taken', async (version) => {
  expect(await checkServer(server(version))).toEqual({ majorVersion: version });
});

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/postgres/embedded/index.ts';
import { migrateDatabase, openDatabase, prepareEmbeddedCluster } from '../../src/platform/postgres/index.ts';

let folder: string;
let cluster: EmbeddedPostgres;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  await chmod(folder, 0o711);
  cluster = await startEmbeddedPostgres({ dataDir: folder, clock: systemClock, random: systemRandom });
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
});

const target = () => ({ kind: 'socket', socketDir: cluster.socketDir, port: cluster.port }) as const;

async function asSuperuser(statement: string): Promise<unknown[]> {
  const client = new pg.Client({ host: cluster.socketDir, port: cluster.port, user: 'postgres', database: 'postgres' });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

test('a fresh cluster, one that was cut off in the middle, and a ready one all end up ready', async () => {
  await asSuperuser('create role holdfast login nosuperuser createrole noinherit'); // what a crash after the first step left
  await prepareEmbeddedCluster(cluster);
  await prepareEmbeddedCluster(cluster);
  expect(
    await asSuperuser(`select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit from pg_roles where rolname = 'holdfast'`),
  ).toEqual([{ rolsuper: false, rolbypassrls: false, rolcreaterole: true, rolcreatedb: false, rolinherit: false }]);
  expect(
    await asSuperuser(
      `select pg_get_userbyid(datdba) as owner, pg_encoding_to_char(encoding) as encoding from pg_database where datname = 'holdfast'`,
    ),
  ).toEqual([{ owner: 'holdfast', encoding: 'UTF8' }]);
});

test('it is migrated and served over its socket, as the login that is no superuser', async () => {
  await prepareEmbeddedCluster(cluster);
  await migrateDatabase({ target: target(), clock: systemClock });
  const database = await openDatabase({ target: target(), maxConnections: 100, clock: systemClock });
  const { rows } = await database.pool('app').query(`select current_user as role, session_user as login`);
  expect(rows).toEqual([{ role: 'holdfast_app', login: 'holdfast' }]);
  await database.close();
});

test('a cluster that does not run is one that cannot be reached', async () => {
  await expect(prepareEmbeddedCluster({ socketDir: folder, port: 1 })).rejects.toMatchObject({ code: 'database_unavailable' });
});

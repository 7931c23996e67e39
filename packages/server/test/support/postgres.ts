import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { databaseFolder } from '../../../../test/support/roomy-folder.ts';
import {
  databaseRoles,
  migrateDatabase,
  openDatabase,
  roleName,
  type Database,
  type DatabaseTarget,
  type OpenDatabaseOptions,
} from '../../src/platform/postgres/index.ts';
import { startEmbeddedPostgres } from '../../src/platform/postgres/embedded/index.ts';
import { placeReadyCluster } from './ready-cluster.ts';

export interface TestDatabase {
  readonly name: string;
  readonly target: DatabaseTarget;
  readonly majorVersion: number;
  /** The same database, as another login; without one, as a superuser. */
  targetAs(login?: Login): DatabaseTarget;
  /** Opened with the real clock and 20 connections; `stop` closes what the test did not. */
  open(overrides?: Partial<OpenDatabaseOptions>): Promise<Database>;
  /** Past row-level security: to arrange and to judge, never as what is tested. Returns the rows. */
  asSuperuser<Row extends pg.QueryResultRow>(statement: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Another database on the same cluster, in some 30 ms; `migrated: false` gives an empty one. */
  createDatabase(options?: { readonly migrated?: boolean }): Promise<TestDatabase>;
  /** Of the first database: drops all and stops the cluster. Of another: drops that one. */
  stop(): Promise<void>;
}

/**
 * A real PostgreSQL with a migrated database, for one test file. On the server of TEST_DATABASE_URL (a superuser's, used to make and
 * drop a throw-away login and databases) when that is set, otherwise on an embedded
 * cluster of its own in a temporary folder.
 *
 * ```ts
 * let postgres: TestDatabase;
 * beforeAll(async () => { postgres = await startTestDatabase(); });   // some 200 ms, once a file
 * afterAll(() => postgres.stop());
 *
 * test('…', async () => {
 *   const database = await (await postgres.createDatabase()).open();  // or `postgres.open()`, when tests may share rows
 *   await database.asOperator((transaction) => transaction.insertInto('identity.organization').values({ … }).execute());
 *   const rows = await postgres.asSuperuser<{ id: string }>('select id from holdfast.calls');
 * });
 * ```
 */
export async function startTestDatabase(): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL'] ? await useServer(process.env['TEST_DATABASE_URL']) : await startCluster();
  const databases = new Set<TestDatabase>();
  let template: Promise<string> | undefined;

  async function create(options: { readonly template?: string }): Promise<string> {
    const name = `${server.prefix}_${randomBytes(6).toString('hex')}`;
    await server.admin.query(`create database ${name} owner ${server.login} template ${options.template ?? 'template0'}`);
    return name;
  }
  async function createTemplate(): Promise<string> {
    const name = await create({});
    await migrateDatabase({ target: server.target(name), clock: systemClock });
    return name;
  }

  async function createDatabase(options: { readonly migrated?: boolean } = {}): Promise<TestDatabase> {
    const name = await create(options.migrated === false ? {} : { template: server.migrated ?? (await (template ??= createTemplate())) });
    const target = server.target(name);
    const opened: Database[] = [];
    let superuser: pg.Pool | undefined;
    const database: TestDatabase = {
      name,
      target,
      majorVersion: server.majorVersion,
      targetAs: (login) => server.target(name, login ?? 'superuser'),
      async open(overrides) {
        const handle = await openDatabase({ target, maxConnections: 20, clock: systemClock, ...overrides });
        opened.push(handle);
        return handle;
      },
      async asSuperuser<Row extends pg.QueryResultRow>(statement: string, values?: readonly unknown[]) {
        superuser ??= oneConnection(server.target(name, 'superuser').url);
        return (await superuser.query<Row>(statement, values as unknown[] | undefined)).rows;
      },
      createDatabase,
      async stop() {
        databases.delete(database);
        await Promise.all(opened.map((handle) => handle.close()));
        await superuser?.end();
        if (server.shared) await server.admin.query(`drop database if exists ${name} with (force)`);
      },
    };
    databases.add(database);
    return database;
  }

  const first = await createDatabase();
  const stopFirst = first.stop;
  return Object.assign(first, {
    async stop() {
      for (const database of databases) if (database !== first) await database.stop();
      await stopFirst();
      if (template && server.shared) await server.admin.query(`drop database if exists ${await template} with (force)`);
      await server.stop();
    },
  });
}

interface Login {
  readonly name: string;
  readonly password: string;
}

interface Server {
  readonly admin: pg.Pool;
  readonly login: string;
  readonly prefix: string;
  readonly majorVersion: number;
  /** Whether it goes on after the tests, so that what they made must be dropped. Each drop waits for a checkpoint. */
  readonly shared: boolean;
  /** A migrated, empty database of its, to which nobody is connected. */
  readonly migrated?: string;
  target(database: string, login?: Login | 'superuser'): DatabaseTarget & { readonly kind: 'url' };
  stop(): Promise<void>;
}

async function startCluster(): Promise<Server> {
  const folder = await mkdtemp(join(databaseFolder(), 'holdfast-test-'));
  await chmod(folder, 0o711); // For root: PostgreSQL runs as another user, which has to pass.
  const remove = () => rm(folder, { recursive: true, force: true });
  const start = async () => {
    const dataDir = join(folder, 'data');
    await placeReadyCluster(dataDir);
    return startEmbeddedPostgres({ dataDir, clock: systemClock, random: systemRandom });
  };
  const { socketDir, port, stop } = await start().catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  const target: Server['target'] = (database, login = { name: 'holdfast', password: '' }) => {
    const name = login === 'superuser' ? 'postgres' : login.name;
    return { kind: 'url', url: `postgres://${name}@localhost/${database}?host=${encodeURIComponent(socketDir)}&port=${port}` };
  };
  const admin = oneConnection(target('postgres', 'superuser').url);
  return {
    admin,
    login: 'holdfast',
    prefix: 'test',
    shared: false,
    migrated: 'holdfast',
    majorVersion: await majorVersionOf(admin),
    target,
    async stop() {
      await admin.end();
      await stop();
      await remove();
    },
  };
}

async function useServer(superuserUrl: string): Promise<Server> {
  const admin = oneConnection(superuserUrl);
  const own: Login = { name: `holdfast_test_${randomBytes(6).toString('hex')}`, password: randomBytes(16).toString('hex') };
  const majorVersion = await majorVersionOf(admin);
  await admin.query(`create role ${own.name} login createrole noinherit password '${own.password}'`);
  // Since 16 a login may grant only the roles that it made itself; those of this server are shared by all test files.
  if (majorVersion >= 16) await grantRoles(admin, own.name);
  return {
    admin,
    login: own.name,
    prefix: own.name,
    shared: true,
    majorVersion,
    target(database, login = own) {
      const url = new URL(superuserUrl);
      url.pathname = `/${database}`;
      if (login !== 'superuser') [url.username, url.password] = [login.name, login.password];
      return { kind: 'url', url: url.href };
    },
    async stop() {
      await admin.query(`drop role ${own.name}`);
      await admin.end();
    },
  };
}

async function grantRoles(admin: pg.Pool, login: string): Promise<void> {
  for (const name of databaseRoles.map(roleName)) {
    await admin.query(`do $$ begin create role ${name}; exception when duplicate_object or unique_violation then null; end $$`);
    await admin.query(`grant ${name} to ${login} with set true, inherit false`);
  }
}

function oneConnection(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on('error', () => {});
  return pool;
}

async function majorVersionOf(client: pg.Pool): Promise<number> {
  const { rows } = await client.query<{ version: number }>(`select current_setting('server_version_num')::int / 10000 as version`);
  return rows[0]!.version;
}

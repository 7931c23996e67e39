import { randomBytes } from 'node:crypto';
import { appendFileSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isHoldfastError } from '@holdfast/kit/errors';
import { systemRandom } from '@holdfast/kit/time';
import { findRunningPostgres, type EmbeddedPostgresExit } from '../src/platform/postgres/embedded/index.ts';
import { isAlive } from '../src/platform/postgres/embedded/process-identity.ts';
import { isRoot, Scene, until } from './embedded-postgres/scene.ts';

let scene: Scene;
const templates = new Scene();
let template: string;
beforeAll(async () => {
  template = join(templates.folder(), 'data');
  await (await templates.start({ dataDir: template })).stop();
});
afterAll(() => templates.end());
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.end());

async function faultOf(work: Promise<unknown>): Promise<{ code: string; message: string; details: unknown }> {
  const thrown: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isHoldfastError(thrown)) throw new Error(`expected a HoldfastError, got ${String(thrown)}`);
  return thrown;
}

describe('an embedded PostgreSQL', () => {
  test('is durable, answers on its socket only, keeps nothing of our environment, and its data outlives a stop', async () => {
    const dataDir = scene.madeFrom(template);
    const first = scene.spawn({ dataDir });
    const line = await first.line;

    const [settings] = await scene.query(
      line,
      `select current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync,
      current_setting('data_checksums') as checksums, current_setting('unix_socket_permissions') as permissions,
      (select count(*)::int from pg_hba_file_rules where type <> 'local') as remote_rules, current_user as "user"`,
    );
    expect(settings).toEqual({ tcp: '', fsync: 'on', checksums: 'on', permissions: '0700', remote_rules: 0, user: 'postgres' });
    expect(statSync(line.socketDir!).mode & 0o777).toBe(0o700);
    if (process.platform === 'linux') {
      expect(readFileSync(`/proc/${line.pid}/environ`, 'latin1')).not.toContain('must-not-leak');
      // The leader of a session of its own is not reached by the terminal's Ctrl-C.
      expect(
        readFileSync(`/proc/${line.pid}/stat`, 'latin1')
          .replace(/^.*\) /s, '')
          .split(' ')[3],
      ).toBe(String(line.pid));
    }

    await scene.query(line, 'create table kept (value int); insert into kept values (42)');
    await first.stop();
    expect(isAlive(line.pid!)).toBe(false);

    const second = await scene.start({ dataDir });
    expect(second.adopted).toBe(false);
    expect(findRunningPostgres({ dataDir, random: systemRandom })).toEqual({ socketDir: second.socketDir, port: second.port });
    expect(second.version).toMatch(/^18\.\d+$/);
    expect(await scene.query(second, 'select value from kept')).toEqual([{ value: 42 }]);
    // A session that is busy, and a connection that says nothing, do not keep it from stopping.
    const busy = (await scene.connect(second)).query('select pg_sleep(60)').catch((reason: unknown) => String(reason));
    createConnection(join(second.socketDir, '.s.PGSQL.5432')).on('error', () => {});
    const stopped = second.stop();
    expect(second.stop()).toBe(stopped);
    await stopped;
    expect(await busy).toMatch(/terminat/);
    expect(findRunningPostgres({ dataDir, random: systemRandom })).toBeUndefined();
    expect(isAlive(second.pid)).toBe(false);
  });

  test('serves one server at a time, and of two that begin at once on a new folder one', async () => {
    const dataDir = join(scene.folder(), 'data');
    const both = [scene.spawn({ dataDir }), scene.spawn({ dataDir })];
    const lines = await Promise.all(both.map((server) => server.line));
    const winner = lines.find((line) => line.pid)!;
    expect(lines.filter((line) => line.pid)).toHaveLength(1);
    expect(lines.find((line) => !line.pid)).toMatchObject({
      code: 'data_folder_in_use',
      detail: expect.stringContaining(dataDir) as string,
    });

    expect((await faultOf(scene.start({ dataDir }))).code).toBe('data_folder_in_use');
    expect(await scene.query(winner, 'select 1 as one')).toEqual([{ one: 1 }]);
    await both[lines.indexOf(winner)]!.stop();

    const mine = await scene.start({ dataDir });
    expect((await faultOf(scene.start({ dataDir }))).code).toBe('data_folder_in_use');
    expect(await scene.spawn({ dataDir }).line).toMatchObject({ code: 'data_folder_in_use' });
    await mine.stop();
  });
});

describe('after kill -9 of the server', () => {
  test('its PostgreSQL is taken over with all that was committed, and its sessions are ended', async () => {
    const dataDir = scene.madeFrom(template);
    const killed = scene.spawn({ dataDir });
    const line = await killed.line;
    await scene.query(line, 'create table kept (value int)');
    const left = await scene.connect(line);
    await left.query('begin; insert into kept values (1)');
    const statement = left.query('select pg_sleep(60)').catch((reason: unknown) => String(reason));
    await scene.query(line, 'insert into kept values (2)');
    await killed.kill();
    expect(isAlive(line.pid!)).toBe(true);

    const next = await scene.start({ dataDir });
    expect(next).toMatchObject({ adopted: true, pid: line.pid, socketDir: line.socketDir });
    expect(await statement).toMatch(/terminat/);
    expect(await scene.query(next, 'select value from kept')).toEqual([{ value: 2 }]);
    await next.stop();
    expect(isAlive(next.pid)).toBe(false);
  });

  test('its PostgreSQL is restarted when it would be started in another way now', async () => {
    const dataDir = scene.madeFrom(template);
    const killed = scene.spawn({ dataDir });
    const line = await killed.line;
    await killed.kill();

    const next = await scene.start({ dataDir, maxConnections: 17 });
    expect(next.adopted).toBe(false);
    expect(isAlive(line.pid!)).toBe(false);
    expect(await scene.query(next, "select current_setting('max_connections') as setting")).toEqual([{ setting: '20' }]);
  });

  test('its PostgreSQL is stopped when the folder was moved meanwhile, and not mistaken for that of a copy', async () => {
    const dataDir = scene.madeFrom(template);
    const killed = scene.spawn({ dataDir });
    const line = await killed.line;
    await killed.kill();

    const copy = scene.madeFrom(dataDir);
    const beside = await scene.start({ dataDir: copy });
    expect(beside.adopted).toBe(false);
    expect(isAlive(line.pid!)).toBe(true);

    const moved = `${dataDir}-moved`;
    renameSync(dataDir, moved);
    const next = await scene.start({ dataDir: moved });
    expect(next.adopted).toBe(false);
    expect(isAlive(line.pid!)).toBe(false);
  });

  test('a PostgreSQL that was taken over is still watched', async () => {
    const dataDir = scene.madeFrom(template);
    const killed = scene.spawn({ dataDir });
    await killed.line;
    await killed.kill();
    const next = await scene.start({ dataDir });
    expect(next.adopted).toBe(true);
    const exit = new Promise<EmbeddedPostgresExit>((resolve) => next.onExit(resolve));
    process.kill(next.pid, 'SIGQUIT');
    expect((await exit).log.join('\n')).toContain('immediate shutdown');
  });

  test.runIf(process.platform === 'linux')('a cluster that was half made is made again', async () => {
    const dataDir = join(scene.folder(), 'data');
    const home = join(dataDir, 'postgres');
    const killed = scene.spawn({ dataDir });
    const drafts = () => (existsSync(home) ? readdirSync(home).filter((name) => name.startsWith('data.new-')) : []);
    // initdb is at work: its draft is there and not empty.
    await until(() => drafts().some((name) => existsSync(join(home, name, 'base'))));
    const [draft] = drafts();
    await killed.kill();
    expect(existsSync(join(home, 'data'))).toBe(false);

    const next = await scene.start({ dataDir });
    expect(await scene.query(next, 'select 1 as one')).toEqual([{ one: 1 }]);
    await next.stop();
    // The initdb of the killed server outlives it, and may have gone on writing.
    await until(() => !commandLines().some((line) => line.includes(draft!)));
    await scene.start({ dataDir });
    expect(drafts()).toEqual([]);
  });
});

function commandLines(): string[] {
  return readdirSync('/proc', { encoding: 'utf8' })
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return ''; // it ended meanwhile
      }
    });
}

describe('when PostgreSQL itself dies', () => {
  test('the server is told, and starts it again beside what the dead one left', async () => {
    const dataDir = scene.madeFrom(template);
    const first = await scene.start({ dataDir });
    await scene.query(first, 'create table kept (value int); insert into kept values (7)');
    void (await scene.connect(first)).query('select pg_sleep(60)').catch(() => {});
    const exit = new Promise<EmbeddedPostgresExit>((resolve) => first.onExit(resolve));
    process.kill(first.pid, 'SIGKILL');
    expect(await exit).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    const told: unknown[] = [];
    first.onExit((late) => told.push(late));
    expect(told).toHaveLength(1);
    await first.stop();

    // Its pid belongs to another process of its user by now, as happens in containers.
    const pidFile = join(dataDir, 'postgres/data/postmaster.pid');
    const stranger = scene.stranger(statSync(pidFile));
    for (const file of [pidFile, join(first.socketDir, '.s.PGSQL.5432.lock')]) {
      writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, String(stranger)));
    }
    expect(findRunningPostgres({ dataDir, random: systemRandom })).toBeUndefined();
    const second = await scene.start({ dataDir });
    expect(second.adopted).toBe(false);
    expect(isAlive(stranger)).toBe(true);
    expect(await scene.query(second, 'select value from kept')).toEqual([{ value: 7 }]);
  });

  test('and nobody has collected it yet, as in a container without an init, it is started again all the same', async () => {
    const dataDir = scene.madeFrom(template);
    const first = await scene.start({ dataDir });
    const exit = new Promise<EmbeddedPostgresExit>((resolve) => first.onExit(resolve));
    process.kill(first.pid, 'SIGKILL');
    await exit;
    await first.stop();
    const pidFile = join(dataDir, 'postgres/data/postmaster.pid');
    const zombie = await scene.zombie(statSync(pidFile));
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(zombie)));
    const second = await scene.start({ dataDir });
    expect(second.adopted).toBe(false);
  });

  test('and cannot start, the last lines of its log tell why, and the folder is free again', async () => {
    const dataDir = scene.madeFrom(template);
    const configuration = join(dataDir, 'postgres/data/postgresql.conf');
    const good = readFileSync(configuration);
    appendFileSync(configuration, '\nno_such_setting = 1\n');
    const fault = await faultOf(scene.start({ dataDir }));
    expect(fault.code).toBe('postgres_start_failed');
    expect(JSON.stringify(fault.details)).toContain('no_such_setting');
    expect(fault.message).toContain('FATAL');

    writeFileSync(configuration, good);
    // The log is cut at the next start, and its last piece is kept.
    const log = join(dataDir, 'postgres/postgres.log');
    appendFileSync(log, randomBytes(2048).toString('hex'));
    const next = await scene.start({ dataDir, maxLogBytes: 4096 });
    expect(statSync(log).size).toBeLessThan(4096);
    expect(statSync(`${log}.1`).size).toBeGreaterThan(4096);
    await next.stop();
  });
});

describe('a data folder that is not of this PostgreSQL', () => {
  test('is refused by its version, and left as it is', async () => {
    const dataDir = scene.folder();
    const data = join(dataDir, 'postgres/data');
    mkdirSync(data, { recursive: true });
    if (isRoot) chownSync(data, 65534, 65534);
    expect(await faultOf(scene.start({ dataDir }))).toMatchObject({
      code: 'data_folder_unusable',
      message: expect.stringContaining('PG_VERSION') as string,
    });
    writeFileSync(join(data, 'PG_VERSION'), '15\n');
    expect(await faultOf(scene.start({ dataDir }))).toMatchObject({
      code: 'data_folder_version',
      message: expect.stringContaining('PostgreSQL 15') as string,
    });
    expect(readdirSync(data)).toEqual(['PG_VERSION']);
  });
});

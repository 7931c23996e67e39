import pg from 'pg';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectionConfig } from './target.ts';

afterEach(() => vi.unstubAllEnvs());

const socket = { kind: 'socket', socketDir: '/run/holdfast', port: 5432 } as const;
const url = (text: string) => ({ kind: 'url', url: text }) as const;

describe('the embedded database', () => {
  test('is reached by its socket as its login, whatever PG… variables for another server say', () => {
    const variables = {
      PGHOST: 'elsewhere',
      PGUSER: 'postgres',
      PGDATABASE: 'x',
      PGPASSWORD: 'secret',
      PGSSLMODE: 'require',
      PGOPTIONS: '-c role=postgres',
      PGPORT: '1',
    };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const client = new pg.Client(connectionConfig(socket, { role: 'app' }));
    expect(client).toMatchObject({ host: '/run/holdfast', port: 5432, user: 'holdfast', database: 'holdfast', ssl: false });
    expect(client.password).not.toBe('secret');
    expect((client as unknown as { connectionParameters: { options: string } }).connectionParameters.options).toBe(
      '-c search_path=pg_catalog,pg_temp -c role=holdfast_app',
    );
  });
});

describe('a URL', () => {
  test('gives host, login and database', () => {
    expect(connectionConfig(url('postgres://me:p%40ss@db.example:6543/main'), { role: 'writer' })).toMatchObject({
      host: 'db.example',
      port: 6543,
      user: 'me',
      password: 'p@ss',
      database: 'main',
      application_name: 'holdfast writer',
    });
  });

  test('may add options, which come before ours, so that ours are in force', () => {
    const { options } = connectionConfig(url('postgres://me@db/main?options=-c%20role%3Dpostgres%20-c%20work_mem%3D64MB'), { role: 'app' });
    expect(options).toBe('-c role=postgres -c work_mem=64MB -c search_path=pg_catalog,pg_temp -c role=holdfast_app');
  });

  test('may name the application, but not take away the limits of a statement', () => {
    const config = connectionConfig(url('postgres://me@db/main?application_name=mine&statement_timeout=0&query_timeout=0'), {
      role: 'app',
    });
    expect(config).toMatchObject({ application_name: 'mine', statement_timeout: 30_000, query_timeout: 35_000, lock_timeout: 10_000 });
  });

  test.each(['postgres://me:secret@db:port/main', 'postgres://me:secret@[broken/main'])(
    'that is none is refused without showing its password',
    (text) => {
      const refusal = (() => {
        try {
          return connectionConfig(url(text));
        } catch (error) {
          return error as Error;
        }
      })();
      expect(refusal).toMatchObject({ code: 'configuration_invalid' });
      expect(JSON.stringify(refusal) + String(refusal) + String((refusal as Error).cause)).not.toContain('secret');
    },
  );
});

test('identity finds its tables without naming their schema; nobody finds temporary tables before real ones', () => {
  expect(connectionConfig(socket, { role: 'identity' }).options).toContain('search_path=identity,pg_catalog,pg_temp');
});

test('without a limit for statements the client waits as long', () => {
  const config = connectionConfig(socket, { timeouts: { connectTimeoutMs: 1, statementTimeoutMs: 0, lockTimeoutMs: 1 } });
  expect(config).toMatchObject({ statement_timeout: 0 });
  expect(config).not.toHaveProperty('query_timeout');
});

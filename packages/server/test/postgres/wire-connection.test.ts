import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../../test/support/self-signed-certificate.ts';
import { mapDatabaseError, WireConnection, type DatabaseTarget } from '../../src/platform/postgres/index.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
const pools: pg.Pool[] = [];
beforeAll(async () => {
  postgres = await startTestDatabase();
  await postgres.asSuperuser('create table public.words (word text unique)');
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await postgres.stop();
});

const textOid = 25;
const words = (...values: readonly string[]) => [{ elementOid: textOid, values: values.map((value) => Buffer.from(value)) }];
const insert = { name: 'test_words', text: 'insert into public.words select unnest($1::text[])' };
const statement = (text: string) => ({ name: `test_${text.replaceAll(/\W/g, '_').slice(0, 40)}`, text });
const stored = async (like: string) =>
  (await postgres.asSuperuser<{ word: string }>('select word from public.words where word like $1 order by 1', [`${like}%`])).map(
    ({ word }) => word,
  );

interface OpenWire {
  readonly wire: WireConnection;
  readonly client: pg.PoolClient;
  readonly pool: pg.Pool;
  readonly pid: number;
  /** How many times it said that it was lost. */
  readonly losses: () => number;
}

async function openWire(target: DatabaseTarget = postgres.targetAs(), config: pg.PoolConfig = {}): Promise<OpenWire> {
  if (target.kind !== 'url') throw new Error('expected a URL');
  const pool = new pg.Pool({ connectionString: target.url, max: 1, ...config });
  pool.on('error', () => {});
  pools.push(pool);
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  let losses = 0;
  const wire = new WireConnection(client, () => losses++);
  return { wire, client, pool, pid: rows[0]!.pid, losses: () => losses };
}

const code = (error: unknown) => (mapDatabaseError(error) as { code?: string }).code;

/** A server that speaks TLS as PostgreSQL does, before the real one. */
async function startTlsFront(upstream: { readonly host: string; readonly port: number }) {
  const { key, cert } = selfSignedCertificate();
  const server = createServer((socket) => {
    socket.once('data', (request: Buffer) => {
      expect(request.readInt32BE(4)).toBe(80_877_103); // SSLRequest
      socket.write('S');
      const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }) });
      const behind = upstream.host.startsWith('/')
        ? connect(`${upstream.host}/.s.PGSQL.${upstream.port}`)
        : connect(upstream.port, upstream.host);
      secure.pipe(behind).pipe(secure);
      secure.on('error', () => behind.destroy());
      secure.on('close', () => behind.destroy());
      behind.on('error', () => secure.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, cert, stop: () => void server.close() };
}

describe('a statement', () => {
  test('is committed when it resolves, with every value of its arrays', async () => {
    const { wire, losses } = await openWire();
    await wire.execute(insert, words('plain 1', 'plain 2 模型 🦊', 'plain 3\0'.slice(0, 7)));
    expect(await stored('plain')).toEqual(['plain 1', 'plain 2 模型 🦊', 'plain 3']);
    await wire.execute(insert, words());
    await wire.execute(statement("insert into public.words values ('plain 4')"), []);
    expect(await stored('plain')).toHaveLength(4);
    wire.close();
    expect(losses()).toBe(0);
  });

  test('is prepared once, and planned for all sizes of its arrays', async () => {
    const { wire } = await openWire();
    for (let round = 0; round < 10; round++)
      await wire.execute(insert, words(...Array.from({ length: round }, (_, at) => `once ${round} ${at}`)));
    await wire.execute(statement('insert into public.words select name || generic_plans + custom_plans from pg_prepared_statements'), []);
    expect(await stored('test_words')).toEqual(['test_words10']);
    wire.close();
  });

  test('may be larger than what a socket takes at once', async () => {
    const { wire } = await openWire();
    const large = Array.from({ length: 256 }, (_, at) => `${at}`.padEnd(64 * 1024, 'x'));
    await wire.execute(statement('insert into public.words select left(unnest($1::text[]), 5)'), words(...large));
    expect(await stored('255x')).toEqual(['255xx']);
    wire.close();
  });

  test('that is refused rejects with what PostgreSQL said, has done nothing, and the connection goes on', async () => {
    const { wire, losses } = await openWire();
    await wire.execute(insert, words('unique'));
    await expect(wire.execute(insert, words('unique too', 'unique'))).rejects.toMatchObject({
      code: '23505',
      constraint: 'words_word_key',
      table: 'words',
      severity: 'ERROR',
      message: expect.stringContaining('duplicate key'),
    });
    // As pg's own errors: no value of a row is left in what is logged.
    expect(mapDatabaseError(await wire.execute(insert, words('unique')).catch((error: unknown) => error))).toMatchObject({
      detail: undefined,
    });
    await expect(wire.execute(statement('insert into public.nowhere select unnest($1::text[])'), words('x'))).rejects.toMatchObject({
      code: '42P01',
    });
    await wire.execute(insert, words('unique three'));
    expect(await stored('unique')).toEqual(['unique', 'unique three']);
    expect(losses()).toBe(0);
    wire.close();
  });

  test('is not disturbed by what a server says besides', async () => {
    const { wire, losses } = await openWire();
    await wire.execute(statement('listen something'), []);
    await wire.execute(
      statement(
        `do $$ begin raise notice 'look'; perform set_config('application_name', 'another', false); perform pg_notify('something', 'x'); end $$`,
      ),
      [],
    );
    await postgres.asSuperuser(`select pg_notify('something', 'from outside')`);
    await wire.execute(statement('select generate_series(1, 100)'), []);
    await wire.execute(insert, words('undisturbed'));
    expect(await stored('undisturbed')).toHaveLength(1);
    expect(losses()).toBe(0);
    wire.close();
  });

  test('that another is to run beside is a fault of ours', async () => {
    const { wire } = await openWire();
    const first = wire.execute(statement('select pg_sleep(0.05)'), []);
    await expect(wire.execute(insert, words('beside'))).rejects.toMatchObject({ code: 'internal_error' });
    await first;
    wire.close();
  });
});

describe('prepared statements that are gone', () => {
  test('are done without: a pooler may lead each transaction to another server connection', async () => {
    const { wire, losses } = await openWire();
    await wire.execute(insert, words('pooled 1'));
    await wire.execute(statement('deallocate all'), []);
    await wire.execute(insert, words('pooled 2'));
    await wire.execute(insert, words('pooled 3'));
    expect(await stored('pooled')).toEqual(['pooled 1', 'pooled 2', 'pooled 3']);
    // Still an error when it is one.
    await expect(wire.execute(insert, words('pooled 3'))).rejects.toMatchObject({ code: '23505' });
    expect(losses()).toBe(0);
    wire.close();
  });

  test('so are those by whose name there is another', async () => {
    const { wire } = await openWire();
    await wire.execute(statement('prepare test_words as select 1'), []);
    await wire.execute(insert, words('taken 1'));
    await wire.execute(insert, words('taken 2'));
    expect(await stored('taken')).toEqual(['taken 1', 'taken 2']);
    wire.close();
  });
});

describe('a connection that is lost', () => {
  test('rejects what runs on it and all that follows, says so once, and its pool makes another', async () => {
    const proxy = await startDatabaseProxy(postgres.targetAs());
    const { wire, losses, pool } = await openWire(proxy.target);
    const underWay = wire.execute(statement('select pg_sleep(10)'), []).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    proxy.cut();
    expect(code(await underWay)).toBe('database_unavailable');
    expect(code(await wire.execute(insert, words('lost')).catch((error: unknown) => error))).toBe('database_unavailable');
    expect([losses(), wire.lost]).toEqual([1, true]);
    proxy.restore();
    await pool.query('select 1');
    wire.close();
    expect(losses()).toBe(1);
    await proxy.stop();
  });

  test('is noticed while nothing runs on it', async () => {
    const { wire, pid, losses } = await openWire();
    await postgres.asSuperuser('select pg_terminate_backend($1)', [pid]);
    await expect.poll(losses).toBe(1);
    expect(wire.lost).toBe(true);
    expect(code(await wire.execute(insert, words('idle')).catch((error: unknown) => error))).toBe('database_unavailable');
  });

  test('because the server ended it says why', async () => {
    const { wire, pid, losses } = await openWire();
    const underWay = wire.execute(statement('select pg_sleep(10)'), []).catch((error: unknown) => error);
    await expect
      .poll(() => postgres.asSuperuser(`select 1 from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`, [pid]))
      .toHaveLength(1);
    await postgres.asSuperuser('select pg_terminate_backend($1)', [pid]);
    expect(await underWay).toMatchObject({ code: '57P01' });
    expect(losses()).toBe(1);
  });

  test('because it fell silent is closed without a word of the other end', async () => {
    const proxy = await startDatabaseProxy(postgres.targetAs());
    const { wire, losses } = await openWire(proxy.target);
    proxy.freeze();
    const underWay = wire.execute(insert, words('silent')).catch((error: unknown) => error);
    wire.close();
    expect(code(await underWay)).toBe('database_unavailable');
    await expect.poll(() => proxy.openConnections).toBe(0);
    expect(losses()).toBe(0);
    await proxy.stop();
  });

  test.each([
    ['a message that nobody knows', Buffer.from([0x7e, 0, 0, 0, 4])],
    ['no protocol at all', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['ready, when nothing was asked', Buffer.from([0x5a, 0, 0, 0, 5, 0x49])],
  ])('because it says %s', async (_, bytes) => {
    const { wire, client, losses } = await openWire();
    (client as unknown as { connection: pg.Connection }).connection.stream.emit('data', bytes);
    expect([wire.lost, losses()]).toEqual([true, 1]);
    expect(code(await wire.execute(insert, words('nonsense')).catch((error: unknown) => error))).toBe('database_unavailable');
  });
});

test('works on what pg has encrypted, and on what it logged in to by SCRAM', async () => {
  const { host, port } = new pg.Client((postgres.targetAs() as { url: string }).url);
  const front = await startTlsFront({ host, port });
  const name = `scram_${postgres.name}`;
  await postgres.asSuperuser(`create role ${name} login password 'p' in role pg_write_all_data`);
  // A server of the tests' own lets everybody in; of another the rules are its own, and ask for a password.
  if (host.startsWith('/')) {
    await postgres.asSuperuser(
      `do $$ begin execute format('copy (values (%L), (%L)) to %L', 'local all ${name} scram-sha-256', 'local all all trust', current_setting('hba_file')); end $$`,
    );
    await postgres.asSuperuser('select pg_reload_conf()');
    await expect.poll(() => postgres.asSuperuser(`select 1 from pg_hba_file_rules where auth_method = 'scram-sha-256'`)).toHaveLength(1);
  }
  const login = (password: string) =>
    ({ kind: 'url', url: `postgres://${name}:${password}@localhost:${front.port}/${postgres.name}` }) as const;
  const ssl = { ca: front.cert };
  if (host.startsWith('/')) await expect(openWire(login('wrong'), { ssl })).rejects.toMatchObject({ code: '28P01' });
  const { wire, losses } = await openWire(login('p'), { ssl });
  const large = Array.from({ length: 64 }, (_, at) => `tls ${at}`.padEnd(2_000, 'x'));
  for (let round = 0; round < 3; round++) await wire.execute(insert, words(...large.map((each) => `${each}${round}`)));
  expect(await stored('tls')).toHaveLength(192);
  expect(losses()).toBe(0);
  wire.close();
  await expect.poll(() => postgres.asSuperuser('select 1 from pg_stat_activity where usename = $1', [name])).toHaveLength(0);
  await postgres.asSuperuser(`drop role ${name}`);
  front.stop();
});

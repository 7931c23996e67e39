import pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';
import { mapDatabaseError } from './errors.ts';
import { connectionConfig, defaultTimeouts, embeddedDatabase, embeddedLogin } from './target.ts';

export interface PrepareEmbeddedClusterOptions {
  readonly socketDir: string;
  readonly port: number;
}

const missingRole = '28000';
const missingDatabase = '3D000';

/**
 * Makes login and database of a fresh embedded cluster, as its superuser `postgres`; the server itself never connects as that.
 * Costs one connection when they are there already. Repeating is safe, also after a crash in the middle.
 */
export async function prepareEmbeddedCluster(options: PrepareEmbeddedClusterOptions): Promise<void> {
  try {
    if (await isPrepared(options)) return;
    await withClient({ ...superuserConfig(options), database: 'postgres' }, async (client) => {
      // CREATEROLE for the roles by task. Not the owner's rights of a superuser: row-level security must hold for it too.
      await ignoring(
        '42710',
        client.query(`create role ${embeddedLogin} login nosuperuser nobypassrls nocreatedb noreplication createrole noinherit`),
      );
      await ignoring(
        '42P04',
        client.query(`create database ${embeddedDatabase} owner ${embeddedLogin} template template0 encoding 'UTF8'`),
      );
      await client.query(`revoke connect, temporary on database ${embeddedDatabase} from public`);
    });
  } catch (error) {
    const mapped = mapDatabaseError(error);
    throw mapped instanceof HoldfastError
      ? mapped
      : new HoldfastError('postgres_start_failed', {
          detail: 'the login or the database of the embedded cluster could not be made',
          cause: error,
        });
  }
}

function superuserConfig(options: PrepareEmbeddedClusterOptions): pg.ClientConfig {
  const { statement_timeout: _none, query_timeout: _neither, ...config } = connectionConfig({ kind: 'socket', ...options });
  return { ...config, user: 'postgres', options: '' };
}

async function isPrepared(options: PrepareEmbeddedClusterOptions): Promise<boolean> {
  try {
    await withClient(connectionConfig({ kind: 'socket', ...options }, { timeouts: defaultTimeouts }), () => Promise.resolve());
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && (error.code === missingRole || error.code === missingDatabase)) return false;
    throw error;
  }
}

async function withClient(config: pg.ClientConfig, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(config);
  client.on('error', () => {});
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function ignoring(sqlState: string, query: Promise<unknown>): Promise<void> {
  try {
    await query;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== sqlState) throw error;
  }
}

import pg from 'pg';
import { startTcpProxy, type TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import type { DatabaseTarget } from '../../src/platform/postgres/index.ts';

export interface DatabaseProxy extends TcpProxy {
  /** The same database through the proxy. */
  readonly target: DatabaseTarget;
}

/** A network between server and database that can fail. */
export async function startDatabaseProxy(target: DatabaseTarget): Promise<DatabaseProxy> {
  if (target.kind !== 'url') throw new Error('only a URL can be changed to lead through the proxy');
  const { host, port } = new pg.Client(target.url);
  const proxy = await startTcpProxy(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });

  const url = new URL(target.url.replace('@localhost/', '@127.0.0.1/'));
  url.searchParams.delete('host');
  url.searchParams.delete('port');
  url.host = `127.0.0.1:${proxy.port}`;
  // Not spread: the count of connections is asked for, not copied.
  return Object.assign(proxy, { target: { kind: 'url' as const, url: url.href } });
}

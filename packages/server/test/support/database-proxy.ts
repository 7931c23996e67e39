import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import pg from 'pg';
import type { DatabaseTarget } from '../../src/platform/postgres/index.ts';

export interface DatabaseProxy {
  /** The same database through the proxy. */
  readonly target: DatabaseTarget;
  /** Connections that came so far. */
  readonly connections: number;
  /** Cuts every connection and refuses new ones, until `restore`. */
  cut(): void;
  /** Lets every open connection fall silent for good: bytes vanish and nothing is closed. New connections are silent too, until `restore`. */
  freeze(): void;
  restore(): void;
  stop(): Promise<void>;
}

/** A network between server and database that can fail. */
export async function startDatabaseProxy(target: DatabaseTarget): Promise<DatabaseProxy> {
  if (target.kind !== 'url') throw new Error('only a URL can be changed to lead through the proxy');
  const { host, port } = new pg.Client(target.url);
  const upstreamAddress = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
  const sockets = new Set<Socket>();
  let mode: 'open' | 'cut' | 'frozen' = 'open';
  let connections = 0;

  const server = createServer((client) => {
    connections++;
    sockets.add(client);
    client.on('error', () => {});
    client.on('close', () => sockets.delete(client));
    if (mode === 'cut') return void client.destroy();
    if (mode === 'frozen') return void client.resume();
    const upstream = connect(upstreamAddress);
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => {
      sockets.delete(upstream);
      if (mode !== 'frozen') client.destroy();
    });
    client.on('close', () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const url = new URL(target.url.replace('@localhost/', '@127.0.0.1/'));
  url.searchParams.delete('host');
  url.searchParams.delete('port');
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    target: { kind: 'url', url: url.href },
    get connections() {
      return connections;
    },
    cut() {
      mode = 'cut';
      for (const socket of sockets) socket.destroy();
    },
    freeze() {
      mode = 'frozen';
      for (const socket of sockets) socket.unpipe().resume();
    },
    restore() {
      mode = 'open';
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type NetConnectOpts, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections that came so far. */
  readonly connections: number;
  /** Of clients, not of the server behind. */
  readonly openConnections: number;
  /** Cuts every connection and refuses new ones, until `restore`. */
  cut(): void;
  /** Lets every open connection fall silent for good: bytes vanish and nothing is closed. New connections are silent too, until `restore`. */
  freeze(): void;
  restore(): void;
  stop(): Promise<void>;
}

/** A network before a server that can fail. */
export async function startTcpProxy(upstreamAddress: NetConnectOpts): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let mode: 'open' | 'cut' | 'frozen' = 'open';
  const clients = new Set<Socket>();
  let connections = 0;

  const server = createServer((client) => {
    connections++;
    sockets.add(client);
    client.on('error', () => {});
    clients.add(client);
    client.on('close', () => {
      sockets.delete(client);
      clients.delete(client);
    });
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

  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    get openConnections() {
      return clients.size;
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

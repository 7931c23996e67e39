import type { ClientIp, ClientIpResolver } from '@holdfast/kit/security';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { Socket } from 'node:net';

const stateOf = Symbol('connection');

interface ConnectionState {
  /** Asked for when it was opened: a socket whose other end has gone no longer knows. Undefined for a unix socket. */
  readonly peer: string | undefined;
  /** Whoever is at the other end, when no header names somebody else. Made with the first request. */
  client: ClientIp | undefined;
  /** Requests whose answers have not reached the operating system. */
  busy: number;
  /** The socket's counters when its last request ended. */
  read: number;
  written: number;
}

type KnownSocket = Socket & { [stateOf]?: ConnectionState };

/** The open connections, and what passed over each since it was last asked. */
export class Connections {
  readonly #sockets = new Set<KnownSocket>();
  readonly #resolver: ClientIpResolver;

  constructor(resolver: ClientIpResolver) {
    this.#resolver = resolver;
  }

  get count(): number {
    return this.#sockets.size;
  }

  watch(server: Server): void {
    server.on('connection', (socket: KnownSocket) => {
      socket[stateOf] = { peer: socket.remoteAddress, client: undefined, busy: 0, read: 0, written: 0 };
      this.#sockets.add(socket);
      socket.once('close', () => void this.#sockets.delete(socket));
    });
  }

  /** Notes that a request began, and returns who sent it. */
  begin(socket: KnownSocket, headers: IncomingHttpHeaders): ClientIp {
    const state = socket[stateOf];
    if (!state) return this.#resolver.resolve({ peer: undefined, header: undefined });
    state.busy++;
    const named = this.#resolver.header && headers[this.#resolver.header];
    if (named !== undefined) return this.#resolver.resolve({ peer: state.peer, header: named });
    return (state.client ??= this.#resolver.resolve({ peer: state.peer, header: undefined }));
  }

  /** What the request that ends now moved over the connection: its counters, less what was there before. */
  end(socket: KnownSocket): { readonly requestBytes: number; readonly responseBytes: number } {
    const state = socket[stateOf];
    if (!state) return { requestBytes: 0, responseBytes: 0 };
    state.busy--;
    const read = socket.bytesRead;
    const written = socket.bytesWritten;
    const moved = {
      requestBytes: Math.max(0, read - state.read),
      responseBytes: Math.max(0, written - state.written),
    };
    state.read = read;
    state.written = written;
    return moved;
  }

  /**
   * Closes the connections that wait for a next request. Not Node's `closeIdleConnections`: that one takes a connection for
   * idle as soon as its answer was handed over with `end`, and cuts off what a slow reader has not fetched yet. One that
   * has just begun to send is left alone as well: it will be told that the server is stopping.
   */
  closeIdle(): void {
    for (const socket of this.#sockets) {
      const state = socket[stateOf];
      if (state && state.busy === 0 && state.read > 0 && state.read === socket.bytesRead) socket.destroy();
    }
  }
}

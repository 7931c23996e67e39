import { Pool } from 'undici';
import { HoldfastError } from '../../errors/index.ts';
import { Exchange, type ResponseReader } from './exchange.ts';

export interface TransportOptions {
  /** Origins that may be called (`https://api.openai.com`). Every other one is refused: no request may name its own host. */
  readonly allowedOrigins: readonly string[];
  /** Most connections to one origin; beyond it requests wait in line. Default 1,024. */
  readonly maxConnections?: number;
  /** How long an idle connection is kept, in milliseconds. Default 30,000: less than the idle limit of common load balancers. */
  readonly keepAliveMs?: number;
}

export interface TransportRequest {
  readonly origin: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** The one way out of the process: pooled HTTP/1.1 connections to the origins that the configuration names. */
export interface Transport {
  /** Sends one request. It is never sent twice: repeating is the decision of a layer that knows what was seen. */
  send(request: TransportRequest, reader: ResponseReader): Exchange;
  /** Breaks off what runs and closes all connections. */
  close(): Promise<void>;
}

export function createTransport(options: TransportOptions): Transport {
  const pools = new Map<string, Pool>();
  for (const origin of options.allowedOrigins) {
    if (pools.has(origin)) continue;
    pools.set(
      origin,
      new Pool(origin, {
        connections: options.maxConnections ?? 1024,
        keepAliveTimeout: options.keepAliveMs ?? 30_000,
        pipelining: 1,
        // HTTP/2 would put all calls on one connection: one stalled reader stops its neighbours.
        allowH2: false,
        // All waiting is bounded by the limits of the attempt, which cancel the exchange; a second set of timers only costs.
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: 0 },
      }),
    );
  }
  return {
    send(request, reader) {
      const pool = pools.get(request.origin);
      if (!pool) throw new HoldfastError('internal_error', { detail: `the origin ${request.origin} is not on the egress allow-list` });
      const exchange = new Exchange(reader);
      pool.dispatch(
        { path: request.path, method: request.method, headers: request.headers as Record<string, string>, body: request.body ?? null },
        exchange,
      );
      return exchange;
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

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
  /**
   * Allows one more origin, as often as it is asked to. The function that it returns takes that back, once: when nobody
   * allows the origin any more, nothing new is sent there and its connections close after what runs on them has ended;
   * then its promise resolves.
   */
  allow(origin: string): () => Promise<void>;
  /** Breaks off what runs and closes all connections. */
  close(): Promise<void>;
}

interface AllowedOrigin {
  allowances: number;
  /** Opened with the first request: an origin that nobody calls costs nothing. */
  pool: Pool | undefined;
}

export function createTransport(options: TransportOptions): Transport {
  const origins = new Map<string, AllowedOrigin>();
  const closing = new Set<Pool>();

  function openPool(origin: string): Pool {
    return new Pool(origin, {
      connections: options.maxConnections ?? 1024,
      keepAliveTimeout: options.keepAliveMs ?? 30_000,
      pipelining: 1,
      // HTTP/2 would put all calls on one connection: one stalled reader stops its neighbours.
      allowH2: false,
      // All waiting is bounded by the limits of the attempt, which cancel the exchange; a second set of timers only costs.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: 0 },
    });
  }

  function allow(origin: string): () => Promise<void> {
    let entry = origins.get(origin);
    if (entry === undefined) origins.set(origin, (entry = { allowances: 0, pool: undefined }));
    const allowed = entry;
    allowed.allowances++;
    let taken: Promise<void> | undefined;
    return () => (taken ??= disallow(origin, allowed));
  }

  async function disallow(origin: string, allowed: AllowedOrigin): Promise<void> {
    if (--allowed.allowances > 0) return;
    origins.delete(origin);
    const { pool } = allowed;
    if (pool === undefined || pool.destroyed) return;
    closing.add(pool);
    try {
      await pool.close();
    } finally {
      closing.delete(pool);
    }
  }

  for (const origin of options.allowedOrigins) allow(origin);
  return {
    send(request, reader) {
      const allowed = origins.get(request.origin);
      if (!allowed) throw new HoldfastError('internal_error', { detail: `the origin ${request.origin} is not on the egress allow-list` });
      const pool = (allowed.pool ??= openPool(request.origin));
      const exchange = new Exchange(reader);
      pool.dispatch(
        { path: request.path, method: request.method, headers: request.headers as Record<string, string>, body: request.body ?? null },
        exchange,
      );
      return exchange;
    },
    allow,
    async close() {
      const pools = [...closing];
      for (const { pool } of origins.values()) if (pool) pools.push(pool);
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

import { sleep, type Clock } from '@holdfast/kit/time';
import type { FastifyInstance } from 'fastify';
import type { Connections } from './connections.ts';
import type { RequestTracker } from './request-tracker.ts';

export interface DrainOptions {
  /** How long calls in flight may take to end. What is left then is cut. */
  readonly timeoutMs: number;
  /** How long to go on answering `draining` before the port is closed, so that a load balancer sees it first. Default 0. */
  readonly settleMs?: number;
}

export interface DrainResult {
  /** Requests that did not end in time and were cut. */
  readonly cut: number;
}

export interface Drainable {
  readonly app: FastifyInstance;
  readonly tracker: RequestTracker;
  readonly connections: Connections;
  readonly clock: Clock;
}

/**
 * Stops in an order in which nothing is lost that need not be: idle connections go at once; calls and streams come to
 * their end, up to a bound; a reader that never reads cannot hold the exit. The port stays open meanwhile, so that readiness can say 503.
 */
export async function drainAndClose({ app, tracker, connections, clock }: Drainable, options: DrainOptions): Promise<DrainResult> {
  connections.closeIdle();
  const bound = new AbortController();
  const tooLong = sleep(clock, options.timeoutMs, bound.signal).catch(() => {});
  if (options.settleMs) await Promise.race([sleep(clock, options.settleMs, bound.signal).catch(() => {}), tooLong]);
  await Promise.race([tracker.idle(), tooLong]);
  bound.abort();
  const cut = tracker.inFlight;
  const closed = app.close();
  // Also for connections that never sent a request, which Node does not call idle.
  app.server.closeAllConnections();
  await closed;
  return { cut };
}

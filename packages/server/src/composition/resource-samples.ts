import process from 'node:process';
import { createEventLoopMonitor, type Clock, type Timer } from '@holdfast/kit/time';
import type { PoolState } from '../platform/postgres/index.ts';

export interface ResourceSamplesOptions {
  readonly clock: Clock;
  readonly sample: (name: string, value: number) => void;
  readonly http: { readonly inFlight: number; readonly openConnections: number };
  readonly database: { poolStates(): readonly PoolState[] };
}

const everyMs = 10_000;

/** Looks at memory, processor, event loop, requests and connections from time to time. Returns the function that ends it. */
export function startResourceSamples({ clock, sample, http, database }: ResourceSamplesOptions): () => void {
  const loop = createEventLoopMonitor();
  let cpu = process.cpuUsage();
  let at = clock.monotonic();
  let timer: Timer | undefined;
  const take = (): void => {
    const used = process.cpuUsage(cpu);
    const now = clock.monotonic();
    // Microseconds of all threads: 100 is one processor in full.
    sample('cpu_percent', ((used.user + used.system) / 1_000 / Math.max(1, now - at)) * 100);
    cpu = process.cpuUsage();
    at = now;
    const memory = process.memoryUsage();
    sample('memory_rss_bytes', memory.rss);
    sample('memory_heap_used_bytes', memory.heapUsed);
    sample('event_loop_delay_ms', loop.takeDelayMs());
    sample('requests_in_progress', http.inFlight);
    sample('open_connections', http.openConnections);
    let busy = 0;
    let waiting = 0;
    for (const pool of database.poolStates()) {
      busy += pool.open - pool.idle;
      waiting += pool.waiting;
    }
    sample('database_connections_busy', busy);
    sample('database_callers_waiting', waiting);
  };
  const next = (): void => {
    timer = clock.setTimeout(() => {
      take();
      next();
    }, everyMs);
  };
  next();
  return () => {
    timer?.cancel();
    loop.close();
    // What a short run saw too.
    take();
  };
}

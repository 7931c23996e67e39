import type { Random } from '../../time/index.ts';

export interface TraceIds {
  /** 32 lower-case hex digits, never all zero. */
  traceId(): string;
  /** 16, never all zero. */
  spanId(): string;
}

const poolBytes = 4096;
const zero = 48;

/** Ids of random bits, drawn by the page: one draw a request would cost more than the rest of its trace. */
export function createTraceIds(random: Random): TraceIds {
  let pool = '';
  let at = 0;
  function take(digits: number): string {
    if (at + digits > pool.length) {
      pool = random.bytes(poolBytes).toString('hex');
      at = 0;
    }
    const id = pool.slice(at, (at += digits));
    // All zero by a chance of one in 2⁶⁴, or by a source of chance that is none.
    return id.charCodeAt(0) !== zero || /[1-9a-f]/.test(id) ? id : `${id.slice(1)}1`;
  }
  return { traceId: () => take(32), spanId: () => take(16) };
}

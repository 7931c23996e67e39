import type { CircuitBreakerBody } from '@holdfast/contracts';
import type { Circuit } from './circuit.ts';

/** On the wire. `nowMs` is Unix time. */
export function toCircuitBody({ name, kind, status }: Circuit, nowMs: number): CircuitBreakerBody {
  const { state, byHand, changedAt, probeInMs, failures, windowCalls, totals, lastFailure, settings } = status;
  const changed = changedAt === undefined ? null : timeOf(changedAt);
  return {
    name,
    kind,
    state,
    by_hand: byHand,
    changed_at: changed,
    opened_at: state === 'closed' ? null : changed,
    next_probe_at: probeInMs === undefined || probeInMs === Number.POSITIVE_INFINITY ? null : timeOf(nowMs + probeInMs),
    failures,
    window_calls: windowCalls ?? null,
    totals,
    // Its words may name hosts and repeat what a client sent: they are for the log.
    last_failure: lastFailure ? { at: timeOf(lastFailure.at), code: lastFailure.code } : null,
    settings: settings
      ? {
          mode: settings.mode,
          threshold: settings.threshold,
          ratio: settings.mode === 'ratio' ? settings.ratio : null,
          window_ms: settings.mode === 'ratio' ? settings.windowMs : null,
          recovery_ms: settings.recoveryMs,
        }
      : null,
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

import type { CircuitBreakerBody } from '@holdfast/contracts';
import { formatTable } from './table.ts';

export function breakerTable(breakers: readonly CircuitBreakerBody[], nowMs: number): string {
  if (breakers.length === 0) return 'There are no circuit breakers.\n';
  return formatTable(
    ['NAME', 'KIND', 'STATE', 'BY', 'SINCE', 'NEXT PROBE', 'FAILURES', 'LAST FAILURE'],
    breakers.map((breaker) => [
      breaker.name,
      breaker.kind,
      breaker.state,
      breaker.by_hand ? 'hand' : '',
      breaker.changed_at ?? '',
      nextProbe(breaker, nowMs),
      String(breaker.failures),
      breaker.last_failure === null ? '' : `${breaker.last_failure.code} ${breaker.last_failure.at}`,
    ]),
    new Set(['FAILURES']),
  );
}

function nextProbe({ state, next_probe_at }: CircuitBreakerBody, nowMs: number): string {
  if (state === 'closed') return '';
  if (next_probe_at === null) return 'never';
  const seconds = Math.ceil((Date.parse(next_probe_at) - nowMs) / 1_000);
  return seconds > 0 ? `in ${seconds} s` : 'now';
}

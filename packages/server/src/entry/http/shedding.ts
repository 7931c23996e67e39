import { HoldfastError } from '@holdfast/kit/errors';

/** What the door asks before it does anything for a request: the overload detector of @holdfast/kit/resilience. */
export interface OverloadGate {
  /** Why the request is to be refused; undefined when it may come in. */
  check(): string | undefined;
  retryAfterSeconds(): number;
}

/** `server_overloaded` when the request is to be refused. No key has been looked at, and not a byte of the body read. */
export function shedError(gate: OverloadGate): HoldfastError | undefined {
  const reason = gate.check();
  if (reason === undefined) return undefined;
  return new HoldfastError('server_overloaded', { detail: reason, retryAfterSeconds: gate.retryAfterSeconds() });
}

/** Probes, what operators ask about health, and metrics: refused in an overload, they would have the server restarted, or hide why it is slow. */
export function isForOperators(url: string): boolean {
  return url === '/metrics' || url === '/health' || url.startsWith('/health/') || url.startsWith('/api/health/');
}

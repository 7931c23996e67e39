import { checkNumber } from '../options.ts';

/** What every detector that counts is told. */
export interface CountingOptions {
  /** What one client may add up to within `windowMs` before it is found out. */
  readonly threshold?: number;
  readonly windowMs?: number;
  /** Clients that are remembered at once: beyond it, those that did least are forgotten. */
  readonly maxClients?: number;
}

export function checkCounting(group: string, { threshold, windowMs, maxClients }: Readonly<Required<CountingOptions>>): void {
  checkNumber(`threshold of ${group}`, threshold, { min: 1 });
  checkNumber(`windowMs of ${group}`, windowMs, { min: 1 });
  checkNumber(`maxClients of ${group}`, maxClients, { min: 1, max: 10_000_000, whole: true });
}

/**
 * The state of one key under one policy. Times are whole milliseconds of the driver's own clock, which never goes back. The policy
 * comes with each call, since it may change while buckets live.
 */
export interface Bucket<Policy> {
  readonly key: string;
  /** The policy that it was used with last. */
  policy: Policy;
  /** Where it stands in the list of its table; -1 when it is in none. */
  place: number;
  /** 0 when the cost has room now; else until it has; Infinity when it never will. */
  waitMs(policy: Policy, cost: number, now: number): number;
  /** Puts the cost in, room or not. Returns the note by which it can be settled. */
  add(policy: Policy, cost: number, now: number): unknown;
  settle(policy: Policy, mark: unknown, cost: number, actual: number, now: number): void;
  remaining(policy: Policy, now: number): number;
  resetAfterMs(policy: Policy, now: number): number;
  /** Units in it, for those who look; with fractions. */
  used(policy: Policy, now: number): number;
}

/** One range of addresses that is shut out for a time. There is one ban of a range; a new one takes the place of the old. */
export interface Ban {
  /** Canonical address or CIDR range, as `IpRange.text` gives it. */
  readonly range: string;
  /** Why, as a short stable word: `endpoint_scanning`, `key_guessing`, `sign_in_guessing`, `manual`, or a word of your own. */
  readonly reason: string;
  /** `manual` when a person made it: no detector changes that. */
  readonly source: 'automatic' | 'manual';
  /** Unix milliseconds, by the clock of the instance that made it: keep the clocks of a fleet in step. */
  readonly bannedAtMs: number;
  /** Unix milliseconds; null: until it is lifted. */
  readonly endsAtMs: number | null;
  /** How many automatic bans of this range came before, none of them forgotten yet when the next came. */
  readonly repeats: number;
  /** Who made it, as an id of the user or key; null for a detector. */
  readonly by: string | null;
  /** A person's own words. At most 500 characters. */
  readonly note: string | null;
}

export function isInForce(ban: Ban, nowMs: number): boolean {
  return ban.endsAtMs === null || ban.endsAtMs > nowMs;
}

/**
 * Which of two bans of a range stands, by the same rule in every store: a person's word over a detector's, and of two detectors the one
 * that ends later. So instances that see the same attack at the same moment come to one ban.
 */
export function standingBan(existing: Ban | undefined, added: Ban): Ban {
  if (existing === undefined || added.source === 'manual') return added;
  if (existing.source === 'manual') return isInForce(existing, added.bannedAtMs) ? existing : added;
  return existing.endsAtMs !== null && added.endsAtMs !== null && added.endsAtMs >= existing.endsAtMs ? added : existing;
}

import { HoldfastError } from '../../errors/index.ts';
import type { Ban } from './ban.ts';

export interface ListBansOptions {
  /** From 1 to 1,000. Default 100. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

export interface BanPage {
  readonly bans: readonly Ban[];
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined;
}

/** The newest first. A page begins after the last of the one before, wherever that now is, so bans that come and go meanwhile shift nothing. */
export function listBans(bans: Iterable<Ban>, { limit = 100, cursor }: ListBansOptions): BanPage {
  const size = Math.min(Math.max(1, Math.floor(limit)), 1_000);
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const found = newest(bans, after, size + 1);
  const page = found.slice(0, size);
  const last = page.at(-1);
  return { bans: page, nextCursor: last !== undefined && found.length > size ? `${last.bannedAtMs}~${last.range}` : undefined };
}

/** The first `count` after a place. Sorts no others: after an attack there are a hundred thousand, and all requests wait meanwhile. */
function newest(bans: Iterable<Ban>, after: Place | undefined, count: number): readonly Ban[] {
  const found: Ban[] = [];
  for (const ban of bans) {
    if (after !== undefined && compare(after, ban) >= 0) continue;
    if (found.length === count) {
      if (compare(found[count - 1]!, ban) <= 0) continue;
      found.pop();
    }
    let low = 0;
    let high = found.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(found[middle]!, ban) < 0) low = middle + 1;
      else high = middle;
    }
    found.splice(low, 0, ban);
  }
  return found;
}

type Place = Pick<Ban, 'bannedAtMs' | 'range'>;

function compare(one: Place, other: Place): number {
  return other.bannedAtMs - one.bannedAtMs || (one.range < other.range ? -1 : one.range > other.range ? 1 : 0);
}

function readCursor(cursor: string): Place {
  const [, bannedAtMs, range] = /^(\d{1,15})~(.+)$/.exec(cursor) ?? [];
  if (bannedAtMs === undefined || range === undefined)
    throw new HoldfastError('invalid_request', { details: [{ field: 'cursor', message: 'is not a `next_cursor` of this list' }] });
  return { bannedAtMs: Number(bannedAtMs), range };
}

import type { BanBody } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import { parseIpRange, type Ban } from '@holdfast/kit/security';

/** A ban as `/api/bans` gives it. */
export function toBanBody(ban: Ban): BanBody {
  return {
    id: toBanId(ban.range),
    range: ban.range,
    reason: ban.reason,
    source: ban.source,
    banned_at: new Date(ban.bannedAtMs).toISOString(),
    ends_at: ban.endsAtMs === null ? null : new Date(ban.endsAtMs).toISOString(),
    repeats: ban.repeats,
    banned_by: ban.by,
    note: ban.note,
  };
}

/** There is one ban of a range, so the range is its id; in letters that need no escaping in a path. */
export function toBanId(range: string): string {
  return Buffer.from(range).toString('base64url');
}

/** Throws `resource_not_found` for what is the id of no range: no ban has it. */
export function fromBanId(id: string): string {
  const range = Buffer.from(id, 'base64url').toString();
  if (toBanId(range) !== id || parseIpRange(range)?.text !== range) throw new HoldfastError('resource_not_found');
  return range;
}

export function encodeBanCursor(cursor: string): string {
  return Buffer.from(cursor).toString('base64url');
}

/** What was no cursor comes out as one that the book refuses. */
export function decodeBanCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}

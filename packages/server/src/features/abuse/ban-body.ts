import type { BanBody } from '@holdfast/contracts';
import type { Ban } from '@holdfast/kit/security';
import type { BanIds } from './ban-ids.ts';

/** A ban as `/api/bans` gives it. */
export function toBanBody(ban: Ban, ids: Pick<BanIds, 'of'>): BanBody {
  return {
    id: ids.of(ban),
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

export function encodeBanCursor(cursor: string): string {
  return Buffer.from(cursor).toString('base64url');
}

/** What was no cursor comes out as one that the book refuses. */
export function decodeBanCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}

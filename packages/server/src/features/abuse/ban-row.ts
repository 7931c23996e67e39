import type { Selectable } from 'kysely';
import type { Ban } from '@holdfast/kit/security';
import type { BansTable } from '../../platform/postgres/index.ts';

export type BanRow = Selectable<BansTable>;

export function toBan(row: BanRow): Ban {
  return {
    range: row.range,
    reason: row.reason,
    source: row.source,
    bannedAtMs: row.banned_at.getTime(),
    endsAtMs: row.ends_at?.getTime() ?? null,
    repeats: row.repeats,
    by: row.banned_by,
    note: row.note,
  };
}

/** What is written of a ban; its revision and the rest are the table's. */
export function toRow(ban: Ban) {
  return {
    range: ban.range,
    reason: ban.reason,
    source: ban.source,
    banned_at: new Date(ban.bannedAtMs),
    ends_at: ban.endsAtMs === null ? null : new Date(ban.endsAtMs),
    repeats: ban.repeats,
    banned_by: ban.by,
    note: ban.note,
  };
}

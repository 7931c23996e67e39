import { sql } from 'kysely';
import type { Ban, BanStore } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import { withinDeadline } from '../../platform/change-feed/index.ts';
import type { AuditTrail, Initiator } from '../../platform/audit/index.ts';
import type { Database } from '../../platform/postgres/index.ts';
import { banAddedEvent, banLiftedEvent } from './ban-events.ts';
import { followBanChanges } from './ban-changes.ts';
import { toBan, toRow } from './ban-row.ts';

export interface DatabaseBanStoreOptions {
  readonly database: Pick<Database, 'query' | 'notifications'>;
  /** Where each ban and each end of one has its event, in the same transaction. A `context` is the `Initiator` of it. */
  readonly audit: Pick<AuditTrail, 'write'>;
  readonly clock: Clock;
  /** How often changes are asked for; half of the second in which every instance has to know, so that a slow answer has the other half. Default 500. */
  readonly pollIntervalMs?: number;
  /** How long a read may take before the database counts as away. Default 5,000. */
  readonly timeoutMs?: number;
}

/**
 * Bans in PostgreSQL, told to every instance within a second: by notification, and by poll when that is lost. `put` decides in one
 * statement what `standingBan` says, so that two instances that write at the same moment come to one ban.
 */
export function createDatabaseBanStore(options: DatabaseBanStoreOptions): BanStore {
  const { database, audit, clock, pollIntervalMs = 500, timeoutMs = 5_000 } = options;
  const query = () => database.query('jobs');

  return {
    async load(endedAfterMs) {
      const rows = await withinDeadline(
        clock,
        timeoutMs,
        'loading bans',
        query()
          .selectFrom('holdfast.bans')
          .selectAll()
          .where('lifted', '=', false)
          .where((eb) => eb.or([eb('ends_at', 'is', null), eb('ends_at', '>', new Date(endedAfterMs))]))
          .execute(),
      );
      return rows.map(toBan);
    },

    async put(bans, context) {
      if (bans.length === 0) return [];
      const rows = await query()
        .transaction()
        .execute(async (transaction) => {
          const ranges = bans.map(({ range }) => range);
          const before = await transaction
            .selectFrom('holdfast.bans')
            .select(['range', 'banned_at'])
            .where('range', '=', sql<string>`any(${ranges}::text[])`)
            .where('lifted', '=', false)
            .execute();
          // Of the row that is there: whether the new ban takes its place, as `standingBan` says. A row that stays as it is gets locked as
          // well, so what is read below is of this moment. In one order everywhere, so that two instances never wait for each other's rows.
          await sql`
            insert into holdfast.bans as existing (range, reason, source, banned_at, ends_at, repeats, banned_by, note)
            select * from jsonb_to_recordset(${JSON.stringify(bans.map(toRow))}::jsonb) as added
              (range text, reason text, source text, banned_at timestamptz, ends_at timestamptz, repeats int, banned_by text, note text)
            order by range
            on conflict (range) do update set
              reason = excluded.reason, source = excluded.source, banned_at = excluded.banned_at, ends_at = excluded.ends_at,
              repeats = excluded.repeats, banned_by = excluded.banned_by, note = excluded.note, lifted = false
            where existing.lifted or excluded.source = 'manual'
              or (existing.source = 'manual' and existing.ends_at <= excluded.banned_at)
              or (existing.source = 'automatic' and excluded.ends_at >= existing.ends_at)`.execute(transaction);
          const standing = await transaction
            .selectFrom('holdfast.bans')
            .selectAll()
            .where('range', '=', sql<string>`any(${ranges}::text[])`)
            .execute();
          // What is put again after an answer was lost, and what gave way to another ban, is no news.
          const known = new Set(before.map(({ range, banned_at }) => `${banned_at.getTime()} ${range}`));
          const news = standing
            .map(toBan)
            .filter((ban) => bans.some((put) => isSame(put, ban)) && !known.has(`${ban.bannedAtMs} ${ban.range}`));
          if (news.length > 0) await audit.write(transaction, ...news.map((ban) => banAddedEvent(ban, context as Initiator | undefined)));
          return standing;
        });
      const standing = new Map(rows.map((row) => [row.range, toBan(row)]));
      return bans.map((ban) => standing.get(ban.range) ?? ban);
    },

    lift: (range, context) =>
      query()
        .transaction()
        .execute(async (transaction) => {
          const row = await transaction
            .updateTable('holdfast.bans')
            .set({ lifted: true })
            .where('range', '=', range)
            .where('lifted', '=', false)
            .returningAll()
            .executeTakeFirst();
          if (row === undefined) return undefined;
          await audit.write(transaction, banLiftedEvent(toBan(row), context as Initiator | undefined));
          return toBan(row);
        }),

    async prune(endedBeforeMs) {
      // Skips what others hold: two that clear up at the same time must not wait for each other. A lifted ban is kept for those that
      // have yet to hear of it.
      const { numAffectedRows } = await sql`
        delete from holdfast.bans where range in (
          select range from holdfast.bans
          where ends_at <= ${new Date(endedBeforeMs)}
            or (lifted and changed_at < clock_timestamp() - interval '1 day')
          for update skip locked)`.execute(query());
      return Number(numAffectedRows ?? 0n);
    },

    subscribe: (listener) => followBanChanges({ database, clock, pollIntervalMs, timeoutMs }, listener),
  };
}

function isSame(put: Ban, standing: Ban): boolean {
  return put.range === standing.range && put.bannedAtMs === standing.bannedAtMs && put.source === standing.source;
}

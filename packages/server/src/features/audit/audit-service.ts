import type {
  AuditActivityBody,
  AuditActivityQuery,
  AuditConsistencyBody,
  AuditConsistencyQuery,
  AuditEventBody,
  AuditEventPage,
  AuditEventsQuery,
  AuditExportQuery,
  AuditKeysBody,
  AuditPublicationsBody,
  AuditReportBody,
  AuditReportName,
  AuditReportQuery,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { sql } from 'kysely';
import { openExport, type AuditExport, type ExportDependencies } from './export/index.ts';
import { lastCheckpoint, proveConsistency, proveEvent } from './proofs.ts';
import type { PublicationStore } from './publish/index.ts';
import {
  findEvent,
  readActivity,
  readEvents,
  referencesIn,
  loggedEventOf,
  toEventBody,
  withScope,
  type ActivitySubject,
  type AuditScope,
  type LoggedLeaf,
  type Revealed,
} from './query/index.ts';
import { makeReport, type Retention } from './reports/index.ts';
import { createLogReader } from './store/index.ts';

export interface AuditServiceOptions extends ExportDependencies {
  readonly publications: Pick<PublicationStore, 'list'>;
  /** By the configuration of this moment. */
  readonly retention: () => readonly Retention[];
  readonly clock: Pick<Clock, 'now'>;
}

/** The log for people. What a scope does not show does not exist: `resource_not_found`. */
export interface AuditService {
  list(scope: AuditScope, query: Omit<AuditEventsQuery, 'organization_id'>): Promise<AuditEventPage>;
  find(scope: AuditScope, id: string): Promise<AuditEventBody>;
  /** A `tlog-proof` file. */
  prove(scope: AuditScope, id: string): Promise<string>;
  /** The last one, a signed note. */
  checkpoint(scope: AuditScope): Promise<string>;
  consistency(scope: AuditScope, query: AuditConsistencyQuery): Promise<AuditConsistencyBody>;
  keys(scope: AuditScope): Promise<AuditKeysBody>;
  activity(scope: AuditScope, subject: ActivitySubject, query: Pick<AuditActivityQuery, 'from' | 'to'>): Promise<AuditActivityBody>;
  report(scope: AuditScope, name: AuditReportName, query: Pick<AuditReportQuery, 'from' | 'to'>): Promise<AuditReportBody>;
  export(scope: AuditScope, query: Omit<AuditExportQuery, 'organization_id'>): Promise<AuditExport>;
  publications(): Promise<AuditPublicationsBody>;
}

const dayMs = 86_400_000;

export function createAuditService(options: AuditServiceOptions): AuditService {
  const { database, clock, reveal } = options;

  /** The last days, where nobody says which. */
  const periodOf = ({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }, days: number) => {
    const toMs = to === undefined ? clock.now() : Date.parse(to);
    return { fromMs: from === undefined ? toMs - days * dayMs : Date.parse(from), toMs };
  };

  async function revealAll(scope: AuditScope, rows: readonly LoggedLeaf[]): Promise<Revealed> {
    const references = [...new Set(rows.flatMap(({ leaf }) => referencesIn(loggedEventOf(leaf))))];
    if (references.length === 0) return new Map();
    const stored = await withScope(database, scope, (transaction) =>
      transaction
        .selectFrom('holdfast.audit_personal')
        .select(['ref', 'kind', 'salt', 'sealed'])
        .where('ref', '=', sql<string>`any(${references}::text[])`)
        .execute(),
    );
    return new Map(
      stored.flatMap((row) => {
        const value = reveal(row);
        return value === undefined ? [] : [[row.ref, { kind: row.kind, value }] as const];
      }),
    );
  }

  return {
    async list(scope, { limit, cursor, personal, ...filter }) {
      for (const [field, value] of Object.entries(filter)) {
        // PostgreSQL takes no NUL in a parameter: it would be an error of the server.
        if (typeof value === 'string' && value.includes('\0'))
          throw new HoldfastError('invalid_request', { details: [{ field, message: 'must not contain NUL' }] });
      }
      const beforeIndex = readCursor(cursor);
      const { rows, nextBeforeIndex } = await withScope(database, scope, (transaction) =>
        readEvents(transaction, scope.organizationId, filter, { limit, beforeIndex }),
      );
      const revealed = personal ? await revealAll(scope, rows) : undefined;
      return {
        data: rows.map((row) => toEventBody(row, revealed)),
        next_cursor: nextBeforeIndex === undefined ? null : Buffer.from(String(nextBeforeIndex), 'latin1').toString('base64url'),
      };
    },
    async find(scope, id) {
      const row = await withScope(database, scope, (transaction) => findEvent(transaction, scope.organizationId, id));
      if (row === undefined) throw new HoldfastError('resource_not_found');
      return toEventBody(row, await revealAll(scope, [row]));
    },
    prove: (scope, id) => proveEvent(database, scope, id),
    checkpoint: async (scope) => (await lastCheckpoint(database, scope)).note,
    consistency: (scope, query) => proveConsistency(database, scope, query),
    async keys(scope) {
      const { origin, keys } = await withScope(database, scope, async (transaction) => {
        const reader = createLogReader(transaction);
        return { origin: (await reader.state()).origin, keys: await reader.keys() };
      });
      return {
        origin,
        data: keys.map(({ verifierKey, kind, createdAt, fromSize, toSize }) => ({
          verifier_key: verifierKey,
          kind,
          created_at: createdAt.toISOString(),
          from_size: fromSize,
          to_size: toSize,
        })),
      };
    },
    activity: (scope, subject, query) =>
      withScope(database, scope, (transaction) => readActivity(transaction, scope.organizationId, subject, periodOf(query, 30))),
    report: (scope, name, query) =>
      makeReport(database, scope, { name, ...periodOf(query, 90), nowMs: clock.now(), retention: options.retention() }),
    export: (scope, { format, from, to, first_number: firstNumber, stop, personal }) =>
      openExport(options, scope, {
        format,
        fromMs: from === undefined ? undefined : Date.parse(from),
        toMs: to === undefined ? undefined : Date.parse(to),
        firstNumber,
        stops: stop?.split(',').map(Number) ?? [],
        personal: personal ?? false,
      }),
    publications: async () => ({ data: await options.publications.list() }),
  };
}

function readCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const index = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!/^\d{1,15}$/.test(index))
    throw new HoldfastError('invalid_request', { details: [{ field: 'cursor', message: 'is not a cursor of this list' }] });
  return Number(index);
}

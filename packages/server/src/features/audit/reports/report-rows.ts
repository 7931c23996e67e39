import { auditEventTypes, type AuditCategory, type AuditReportBody } from '@holdfast/contracts';
import { sql, type Kysely } from 'kysely';
import type { Schema } from '../../../platform/postgres/index.ts';
import { loggedEventOf, type AuditScope } from '../query/index.ts';

export type ReportSection = AuditReportBody['sections'][number];
type Cell = ReportSection['rows'][number][string];

export interface ReportPeriod {
  readonly from: Date;
  readonly to: Date;
}

/** Rows that a section holds at most. */
export const maxReportRows = 500;

/** A section, with the rows beyond the bound cut off. `rows` may hold one more than `maxReportRows`, which says that there are more. */
export function section(
  id: string,
  title: string,
  text: string,
  columns: Readonly<Record<string, string>>,
  rows: readonly Readonly<Record<string, Cell | Date | undefined>>[],
): ReportSection {
  const names = Object.keys(columns);
  return {
    id,
    title,
    text,
    columns: names.map((name) => ({ id: name, title: columns[name]! })),
    rows: rows.slice(0, maxReportRows).map((row) => Object.fromEntries(names.map((name) => [name, cellOf(row[name])]))),
    more: rows.length > maxReportRows,
  };
}

function cellOf(value: Cell | Date | undefined): Cell {
  return value instanceof Date ? value.toISOString() : (value ?? null);
}

export function typesOf(...categories: readonly AuditCategory[]): string[] {
  return Object.entries(auditEventTypes).flatMap(([type, { category }]) => (categories.includes(category) ? [type] : []));
}

/** `where` of an organization's rows, of the instance's, or of all. */
export function ofScope({ organizationId }: AuditScope) {
  if (organizationId === undefined) return sql<boolean>`true`;
  return organizationId === null ? sql<boolean>`organization_id is null` : sql<boolean>`organization_id = ${organizationId}::uuid`;
}

const eventColumns = {
  at: 'When',
  type: 'What',
  outcome: 'Outcome',
  actor: 'Who',
  resource: 'Of what',
  details: 'Details',
  number: 'Number',
};

/** Events of the period, the last first, as rows of a report. */
export async function eventSection(
  database: Kysely<Schema>,
  scope: AuditScope,
  { from, to }: ReportPeriod,
  {
    id,
    title,
    text,
    types,
    refusedToo = false,
  }: { id: string; title: string; text: string; types: readonly string[]; refusedToo?: boolean },
): Promise<ReportSection> {
  const rows = await database
    .selectFrom('holdfast.audit_log')
    .select(['leaf'])
    .where('at', '>=', from)
    .where('at', '<', to)
    .where(ofScope(scope))
    .where((is) => is.or([is('type', '=', sql<string>`any(${[...types]}::text[])`), ...(refusedToo ? [is('outcome', '=', 'denied')] : [])]))
    .orderBy('index', 'desc')
    .limit(maxReportRows + 1)
    .execute();
  return section(
    id,
    title,
    text,
    eventColumns,
    rows.map(({ leaf }) => {
      const { at, type, outcome, actor, resource, details, number } = loggedEventOf(leaf);
      return {
        at,
        type,
        outcome,
        actor: words(actor.type, actor.id ?? actor.user_id),
        resource: resource === null ? '' : words(resource.type, resource.id),
        details: details === undefined ? '' : JSON.stringify(details),
        number,
      };
    }),
  );
}

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' ');
}

import { writeExport, type ExportedEvent, type SignedSize } from '@holdfast/kit/audit';
import { HoldfastError } from '@holdfast/kit/errors';
import { sql, type Kysely } from 'kysely';
import type { Schema } from '../../../platform/postgres/index.ts';
import { loggedEventOf, referencesIn, withScope, type AuditScope, type ScopedDatabase } from '../query/index.ts';
import { createLogReader, type LogReader } from '../store/index.ts';
import { csvHeader, csvLine } from './csv.ts';

export interface ExportOptions {
  readonly format: 'jsonl' | 'csv';
  /** Begin with the first event of this moment, in Unix milliseconds. */
  readonly fromMs?: number | undefined;
  /** End with the first checkpoint that was signed at this moment or later. Default: the last one. */
  readonly toMs?: number | undefined;
  /** Begin with this number of the organization, or of the instance's own series. */
  readonly firstNumber?: number | undefined;
  /** Sizes of checkpoints that whoever verifies kept. */
  readonly stops?: readonly number[];
  /** Whether to tell what references stand for. */
  readonly personal?: boolean;
  /** Whether to go on past what is missing, for who wants to find out: what is left out is a fault of the file. */
  readonly pastGaps?: boolean;
}

export interface ExportDependencies {
  readonly database: ScopedDatabase;
  /** The value of a stored reference; undefined when its row is not what was written. */
  readonly reveal: (row: { readonly ref: string; readonly salt: Buffer; readonly sealed: Buffer }) => string | undefined;
}

export interface AuditExport {
  readonly checkpoint: SignedSize;
  /** How many events there will be. */
  readonly events: number;
  /** The file, whole lines at a time; nothing is read before it is asked for. */
  readonly text: AsyncGenerator<string>;
}

interface Row {
  readonly index: number;
  readonly number: number;
  readonly leaf: string;
}

/** Events that are read at a time: some 300 kB, and a few milliseconds. */
const pageSize = 500;

/**
 * An export of what the scope may see. Each page is a transaction of its own, so that a slow reader holds nothing in the database. When
 * retention removes what is still to be read, `text` rejects with `conflict`: the file ends in the middle, and does not verify.
 */
export async function openExport(dependencies: ExportDependencies, scope: AuditScope, options: ExportOptions): Promise<AuditExport> {
  const { database } = dependencies;
  const { checkpoint, first, events } = await withScope(database, scope, (transaction) => findBounds(transaction, scope, options));
  const pages = readPages(dependencies, scope, {
    first,
    end: checkpoint.size,
    personal: options.personal ?? false,
    pastGaps: options.pastGaps ?? false,
  });
  return {
    checkpoint,
    events,
    text: options.format === 'csv' ? csvText(pages) : provenText(dependencies, scope, { checkpoint, pages, stops: options.stops ?? [] }),
  };
}

async function* provenText(
  { database }: ExportDependencies,
  scope: AuditScope,
  options: { readonly checkpoint: SignedSize; readonly pages: AsyncIterable<readonly ExportedEvent[]>; readonly stops: readonly number[] },
): AsyncGenerator<string> {
  const read = <T>(work: (log: LogReader) => Promise<T>): Promise<T> =>
    withScope(database, scope, (transaction) => work(createLogReader(transaction)));
  yield* writeExport({
    ...options,
    origin: (await read((log) => log.state())).origin,
    organizationId: scope.organizationId,
    readNodes: (nodes) => read((log) => log.readNodes(nodes)),
    checkpointFrom: (size) => read((log) => log.checkpointFrom(size)),
  });
}

async function* csvText(pages: AsyncIterable<readonly ExportedEvent[]>): AsyncGenerator<string> {
  yield csvHeader;
  for await (const page of pages) {
    const lines = page.map(({ index, leaf, personal }) => {
      const values = new Map(personal?.map(({ ref, value }) => [ref, value]));
      return csvLine({ index, event: loggedEventOf(leaf), reveal: (reference) => values.get(reference) });
    });
    yield lines.join('');
  }
}

type Position = 'index' | 'number';

/** By what a scope is read without a gap: the whole log by its leaves, a series by its numbers. */
function positionOf({ organizationId }: AuditScope): Position {
  return organizationId === undefined ? 'index' : 'number';
}

function rowsOf(database: Kysely<Schema>, { organizationId }: AuditScope) {
  const rows = database.selectFrom('holdfast.audit_log');
  if (organizationId === undefined) return rows;
  return organizationId === null ? rows.where('organization_id', 'is', null) : rows.where('organization_id', '=', organizationId);
}

async function findBounds(
  database: Kysely<Schema>,
  scope: AuditScope,
  { fromMs, toMs, firstNumber }: ExportOptions,
): Promise<{ readonly checkpoint: SignedSize; readonly first: number; readonly events: number }> {
  const checkpoints = database.selectFrom('holdfast.audit_checkpoints').select(['size', 'note']).limit(1);
  const checkpoint =
    (toMs === undefined
      ? undefined
      : await checkpoints.where('at', '>=', new Date(toMs)).orderBy('at').orderBy('size').executeTakeFirst()) ??
    (await checkpoints.orderBy('size', 'desc').executeTakeFirst());
  if (checkpoint === undefined) {
    throw new HoldfastError('resource_not_found', {
      detail: 'the log has no checkpoint yet: the first comes with the first event, within seconds',
    });
  }
  const position = positionOf(scope);
  if (firstNumber !== undefined && position === 'index')
    throw new HoldfastError('invalid_request', {
      details: [{ field: 'first_number', message: 'is for the events of one organization: name it' }],
    });
  const within = rowsOf(database, scope).where('index', '<', checkpoint.size);
  const from = fromMs === undefined ? within : within.where('at', '>=', new Date(fromMs));
  const least = await from.select(({ fn }) => fn.min<number | null>(position).as('position')).executeTakeFirstOrThrow();
  const last = await within.select(position).orderBy(position, 'desc').limit(1).executeTakeFirst();
  const lastPosition = last?.[position] ?? (position === 'index' ? -1 : 0);
  const first = Math.max(least.position ?? lastPosition + 1, firstNumber ?? 0);
  return { checkpoint, first, events: Math.max(0, lastPosition - first + 1) };
}

async function* readPages(
  { database, reveal }: ExportDependencies,
  scope: AuditScope,
  {
    first,
    end,
    personal,
    pastGaps,
  }: { readonly first: number; readonly end: number; readonly personal: boolean; readonly pastGaps: boolean },
): AsyncGenerator<ExportedEvent[]> {
  const position = positionOf(scope);
  for (let next = first; ;) {
    const page = await withScope(database, scope, async (transaction) => {
      const rows: Row[] = await rowsOf(transaction, scope)
        .select(['index', 'number', 'leaf'])
        .where(position, '>=', next)
        .where('index', '<', end)
        .orderBy(position)
        .limit(pageSize)
        .execute();
      return { rows, personal: personal ? await readPersonal(transaction, rows, reveal) : undefined };
    });
    for (const row of page.rows) {
      if (pastGaps) next = row[position] + 1;
      else if (row[position] !== next++)
        throw new HoldfastError('conflict', {
          detail: `${position} ${next - 1} of the audit log was removed while it was exported, by retention or by somebody`,
        });
    }
    if (page.rows.length > 0)
      yield page.rows.map(({ index, leaf }) => ({ index, leaf, ...(page.personal && { personal: page.personal.get(index) ?? [] }) }));
    if (page.rows.length < pageSize) return;
  }
}

type Personal = NonNullable<ExportedEvent['personal']>;

async function readPersonal(
  database: Kysely<Schema>,
  rows: readonly Row[],
  reveal: ExportDependencies['reveal'],
): Promise<Map<number, Personal>> {
  const references = new Map(rows.map(({ index, leaf }) => [index, referencesIn(loggedEventOf(leaf))]));
  const all = [...new Set([...references.values()].flat())];
  const stored =
    all.length === 0
      ? []
      : await database
          .selectFrom('holdfast.audit_personal')
          .select(['ref', 'kind', 'salt', 'sealed'])
          .where('ref', '=', sql<string>`any(${all}::text[])`)
          .execute();
  const told = new Map(
    stored.flatMap((row) => {
      const value = reveal(row);
      return value === undefined ? [] : [[row.ref, { ref: row.ref, kind: row.kind, salt: row.salt.toString('base64url'), value }] as const];
    }),
  );
  return new Map([...references].map(([index, refs]) => [index, refs.flatMap((ref) => told.get(ref) ?? [])]));
}

import { createHash } from 'node:crypto';
import { canonicalJson, hashLeaf, type LoggedAuditEvent } from '@holdfast/kit/audit';
import { verifyExport, type ExportReport, type TreeHead } from '@holdfast/kit/audit/verify';
import { sql } from 'kysely';
import type { Database } from '../../../platform/postgres/index.ts';
import { openExport, type ExportDependencies } from '../export/index.ts';
import { createLogReader } from '../store/index.ts';

/** What is wrong in the database, beside what an export of it shows. */
export interface DatabaseFault {
  readonly finding:
    /** A column says something else than the event beside it: queries would lie. */
    | 'column_mismatch'
    /** Hashes that are kept for proofs are not those of the events. */
    | 'nodes_mismatch'
    /** The state of the log, its series or its checkpoints do not fit what is in it. */
    | 'state_mismatch';
  readonly message: string;
}

export interface DatabaseReport {
  /** The whole log, verified as an export of it would be. */
  readonly log: ExportReport;
  readonly faults: readonly DatabaseFault[];
  /** Events that wait for their place: durable, and in no checkpoint yet. */
  readonly unsequenced: number;
  /** Events that have their place behind the last checkpoint. */
  readonly unsigned: number;
  /** What was in the inbox and is no event. */
  readonly rejected: number;
  readonly ok: boolean;
}

export interface VerifyDatabaseOptions extends ExportDependencies {
  readonly database: ExportDependencies['database'] & Pick<Database, 'query'>;
  /** Public keys from somewhere else than this database; those that it has itself prove little. */
  readonly verifierKeys: readonly string[];
  readonly kept?: readonly TreeHead[];
  readonly onProgress?: (progress: { readonly events: number; readonly of: number }) => void;
}

const operatorsScope = { organizationId: undefined, asOperator: true } as const;
const maxFaults = 100;
const tileWidth = 256;
const readTiles = 4;
const nilSeries = '00000000-0000-0000-0000-000000000000';

/** Goes through the whole log in the database, in little memory and holding nothing: every event, every hash that is kept, and the state of it all. */
export async function verifyDatabase(options: VerifyDatabaseOptions): Promise<DatabaseReport> {
  const { database, kept = [] } = options;
  const faults: DatabaseFault[] = [];
  const fault = (finding: DatabaseFault['finding'], message: string): void => {
    if (faults.length < maxFaults) faults.push({ finding, message });
  };
  const newest = await createLogReader(database.query('operator')).latestCheckpoint();
  const signed = newest?.size ?? 0;
  const log = newest === undefined ? nothingSigned(kept) : await verifyWhole(options);
  await compareColumns(database, signed, fault);
  await compareState(database, log, fault);
  const { rows } = await sql<{ unsequenced: number; rejected: number; size: number }>`
    select (select count(*) from holdfast.audit_inbox)::int as unsequenced, (select count(*) from holdfast.audit_rejected)::int as rejected,
      (select size from holdfast.audit_state)::float8 as size`.execute(database.query('operator'));
  const { unsequenced, rejected, size } = rows[0]!;
  return { log, faults, unsequenced, rejected, unsigned: Math.max(0, size - signed), ok: log.ok && faults.length === 0 };
}

/** A log that was never signed, or of which everything was deleted: who kept a checkpoint knows which. */
function nothingSigned(kept: readonly TreeHead[]): ExportReport {
  const faults = kept
    .filter(({ size }) => size > 0)
    .map(({ size }) => ({
      finding: 'rolled_back' as const,
      severity: 'error' as const,
      message: `the log had ${size} leaves and has none, nor a checkpoint: it was deleted`,
      line: 0,
      index: 0,
    }));
  return {
    ok: faults.length === 0,
    scope: 'log',
    checkpoint: undefined,
    events: 0,
    series: [],
    keptChecked: [],
    faults,
    faultCount: faults.length,
  };
}

async function verifyWhole({ verifierKeys, kept = [], onProgress, ...dependencies }: VerifyDatabaseOptions): Promise<ExportReport> {
  const stops = kept.map(({ size }) => size);
  const { events, text } = await openExport(dependencies, operatorsScope, { format: 'jsonl', stops, pastGaps: true });
  return verifyExport(linesOfText(text), {
    verifierKeys,
    kept,
    origin: (await createLogReader(dependencies.database.query('operator')).state()).origin,
    // Many times faster than WebCrypto, which makes a promise of every hash.
    sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    onProgress: ({ events: done }) => onProgress?.({ events: done, of: events }),
  });
}

async function* linesOfText(text: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const part of text) yield* part.split('\n').slice(0, -1);
}

type Fault = (finding: DatabaseFault['finding'], message: string) => void;

/** Columns against the leaf, and the hashes of whole tiles of leaves against the leaves: some tiles at a time. */
async function compareColumns(database: Pick<Database, 'query'>, end: number, fault: Fault): Promise<void> {
  const { first_index: first } = await database
    .query('operator')
    .selectFrom('holdfast.audit_state')
    .select('first_index')
    .executeTakeFirstOrThrow();
  for (let begin = first - (first % tileWidth); begin < end; begin += readTiles * tileWidth) {
    const rows = await database
      .query('operator')
      .selectFrom('holdfast.audit_log')
      .selectAll()
      .where('index', '>=', begin)
      .where('index', '<', Math.min(end, begin + readTiles * tileWidth))
      .orderBy('index')
      .execute();
    const tiles = new Map<number, Buffer[]>();
    for (const row of rows) {
      const differing = differingColumn({ ...row });
      if (differing !== undefined)
        fault('column_mismatch', `the column "${differing}" of event ${row.index} says something else than the event`);
      const tile = Math.floor(row.index / tileWidth);
      const hashes = tiles.get(tile) ?? [];
      hashes.push(hashLeaf(Buffer.from(row.leaf)));
      tiles.set(tile, hashes);
    }
    const whole = [...tiles].filter(([, hashes]) => hashes.length === tileWidth);
    const stored = await database
      .query('operator')
      .selectFrom('holdfast.audit_nodes')
      .select(['index', 'hashes'])
      .where('level', '=', 0)
      .where('index', '=', sql<number>`any(${whole.map(([tile]) => tile)}::bigint[])`)
      .execute();
    const hashesOf = new Map(stored.map(({ index, hashes }) => [index, hashes]));
    for (const [tile, hashes] of whole) {
      if (hashesOf.get(tile)?.equals(Buffer.concat(hashes)) !== true)
        fault('nodes_mismatch', `the hashes of leaves ${tile * tileWidth} to ${(tile + 1) * tileWidth - 1} are not those of the events`);
    }
  }
}

type Row = Readonly<Record<string, unknown>> & { readonly leaf: string };

function differingColumn(row: Row): string | undefined {
  let event: LoggedAuditEvent;
  try {
    event = JSON.parse(row.leaf) as LoggedAuditEvent;
  } catch {
    return 'leaf';
  }
  const said: Readonly<Record<string, unknown>> = {
    id: event.id,
    organization_id: event.organization_id,
    number: event.number,
    at: event.at,
    type: event.type,
    outcome: event.outcome,
    actor_type: event.actor?.type,
    actor_id: event.actor?.id,
    user_id: event.actor?.user_id,
    resource_type: event.resource?.type,
    resource_id: event.resource?.id,
    request_id: event.request_id,
  };
  return Object.keys(said).find((name) => {
    const value = row[name] instanceof Date ? (row[name] as Date).toISOString() : row[name];
    return canonicalJson((said[name] ?? null) as never) !== canonicalJson((value ?? null) as never);
  });
}

/** Numbers that were given, against what is there. */
async function compareState(database: Pick<Database, 'query'>, log: ExportReport, fault: Fault): Promise<void> {
  const series = await database.query('operator').selectFrom('holdfast.audit_series').selectAll().execute();
  const there = new Map(log.series.map((each) => [each.organizationId ?? nilSeries, each]));
  for (const { organization_id: id, last_number: last, removed_number: removed } of series) {
    const found = there.get(id);
    const name = id === nilSeries ? 'the instance' : `organization ${id}`;
    if (found !== undefined && found.first > removed + 1)
      fault('state_mismatch', `events ${removed + 1} to ${found.first - 1} of ${name} are gone, and retention did not remove them`);
    if (found !== undefined && found.last > last)
      fault('state_mismatch', `the last number of ${name} is ${found.last}, and the log says that it gave ${last}`);
    there.delete(id);
  }
  for (const id of there.keys())
    fault('state_mismatch', `the log knows nothing of the series of ${id === nilSeries ? 'the instance' : `organization ${id}`}`);
}

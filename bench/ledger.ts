/**
 * What the ledger's commit costs, by the size of a batch: our process and the database's, and how many there are in a second; the wire connection
 * against pg's own client, in turns on the same database: `npm run bench:ledger [-- --no-write]`. Writes bench/results/ledger.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import { rowBytes } from '../packages/server/src/features/costs/ledger-row.ts';
import { callEvent } from '../packages/server/src/features/costs/call-event.ts';
import { createLedgerWriter, ledgerStatement, ledgerTypes, type LedgerWrite } from '../packages/server/src/features/costs/ledger-store.ts';
import { compositeArray, type Database } from '../packages/server/src/platform/postgres/index.ts';
import { ending, modelCall } from '../packages/server/test/costs/fixture.ts';
import { createReferences } from '../packages/server/test/support/personal-references.ts';
import { startTestDatabase } from '../packages/server/test/support/postgres.ts';
import { show, spread } from './support/statistics.ts';

interface Writer {
  readonly name: string;
  readonly pid: number;
  write(rows: readonly RowAndEvent[]): Promise<void>;
}

/** What each call leaves: its row, and its audit event. */
type RowAndEvent = LedgerWrite & { readonly event: Buffer };

const sizes = [1, 4, 8, 16, 64];
const turns = 15;
const commitsATurn = 120;

const newId = createUuidV7(systemClock, systemRandom);
const instanceId = newId();
const organizationId = newId();
const keyId = newId();

const references = createReferences();
const statement = ledgerStatement(['rows', 'rowEvents'], false);

const postgres = await startTestDatabase();
const database = await postgres.open();
const writers = [await pgWriter(database), await wireWriter(database)];
const lines: string[] = [
  '# The commit of ledger rows',
  '',
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)} before it, embedded PostgreSQL ${postgres.majorVersion} with fsync on.`,
  `Medians (least–most) of ${turns} turns of ${commitsATurn} commits each; the writers take turns. CPU is of our main thread, rows being made included, and of the database's process for the connection.`,
  '',
  '| rows a commit | writer | CPU µs a row, ours | the database’s | commits/s |',
  '| --- | --- | --- | --- | --- |',
];
try {
  for (const writer of writers) for (let turn = 0; turn < 4; turn++) await measure(writer, 8);
  for (const size of sizes) {
    const found = new Map(writers.map((writer) => [writer, [] as Awaited<ReturnType<typeof measure>>[]]));
    for (let turn = 0; turn < turns; turn++)
      for (const writer of turn % 2 === 0 ? writers : writers.toReversed()) found.get(writer)!.push(await measure(writer, size));
    for (const [{ name }, figures] of found) {
      const column = (read: (figure: (typeof figures)[number]) => number, digits: number) => show(spread(figures.map(read)), digits);
      lines.push(
        `| ${size} | ${name} | ${column((each) => each.ownMicros, 1)} | ${column((each) => each.databaseMicros, 1)} | ${column((each) => each.perSecond, 0)} |`,
      );
    }
  }
} finally {
  await postgres.stop();
}
const text = `${lines.join('\n')}\n`;
process.stdout.write(text);
if (!process.argv.includes('--no-write')) {
  const folder = fileURLToPath(new URL('results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}ledger.md`, text);
}

async function measure(writer: Writer, size: number) {
  const began = performance.now();
  const own = process.threadCpuUsage();
  const databaseBefore = cpuNanosOf(writer.pid);
  for (let commit = 0; commit < commitsATurn; commit++) {
    const rows: RowAndEvent[] = [];
    for (let row = 0; row < size; row++) rows.push(newRow());
    await writer.write(rows);
  }
  const { user, system } = process.threadCpuUsage(own);
  const rows = commitsATurn * size;
  return {
    ownMicros: (user + system) / rows,
    databaseMicros: (cpuNanosOf(writer.pid) - databaseBefore) / 1000 / rows,
    perSecond: (commitsATurn * 1000) / (performance.now() - began),
  };
}

function newRow(): RowAndEvent {
  const call = modelCall({ organizationId, keyId });
  const end = ending();
  return { kind: 'row', bytes: rowBytes(call, instanceId, end), event: callEvent(call, end, references).bytes };
}

/** As pg's users do it: a named statement, binary parameters. */
async function pgWriter(on: Database): Promise<Writer> {
  const client = await on.pool('writer').connect();
  const { rows } = await client.query<{ row: number; event: number; pid: number }>(
    `select '${ledgerTypes.rows}'::regtype::oid as row, '${ledgerTypes.rowEvents}'::regtype::oid as event, pg_backend_pid() as pid`,
  );
  const { row, event, pid } = rows[0]!;
  return {
    name: 'pg',
    pid,
    async write(batch) {
      const values = [
        compositeArray(
          row,
          batch.map(({ bytes }) => bytes),
        ),
        compositeArray(
          event,
          batch.map((each) => each.event),
        ),
      ];
      await client.query({ ...statement, values });
    },
  };
}

/** The ledger's own. */
async function wireWriter(on: Database): Promise<Writer> {
  const writer = createLedgerWriter(() => on.pool('writer'), systemClock);
  await writer.write([newRow()], false);
  const found = await postgres.asSuperuser<{ pid: number }>(
    // The server keeps the first 1,024 bytes of a statement.
    `select pid from pg_stat_activity where application_name = 'holdfast writer' and length(query) > 100 and starts_with($1, query)`,
    [statement.text],
  );
  return { name: 'wire', pid: found[0]!.pid, write: (batch) => writer.write(batch, false) };
}

function cpuNanosOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);
}

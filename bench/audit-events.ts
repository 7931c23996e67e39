/**
 * What the audit event adds to a call: `npm run bench:audit-events [-- --no-write]`. Writes bench/results/audit-events.md.
 * First the making of its bytes, in a loop, with and without, in turns; then the commit of row and event against that of the row alone, in turns
 * on one connection: our processor and the database's.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import { callEvent } from '../packages/server/src/features/costs/call-event.ts';
import { rowBytes } from '../packages/server/src/features/costs/ledger-row.ts';
import { createLedgerWriter, type LedgerWrite } from '../packages/server/src/features/costs/ledger-store.ts';
import type { ModelCall } from '../packages/server/src/model/index.ts';
import { ending, modelCall } from '../packages/server/test/costs/fixture.ts';
import { createReferences } from '../packages/server/test/support/personal-references.ts';
import { startTestDatabase } from '../packages/server/test/support/postgres.ts';
import { show, spread } from './support/statistics.ts';

const callsATurn = 20_000;
const commitsATurn = 120;
const turns = 15;
const sizes = [1, 8, 64];

const newId = createUuidV7(systemClock, systemRandom);
const instanceId = newId();
const [organizationId, keyId] = [newId(), newId()];
const references = createReferences();

function newCall(more: { readonly endUser?: string; readonly feature?: string } = {}): ModelCall {
  const call = modelCall({ organizationId, keyId, ...more });
  return { ...call, context: { ...call.context, address: '203.0.113.7', userAgent: 'OpenAI/Python 1.109.1' } };
}

const end = ending();
const lines: string[] = [
  '# The audit event of a call',
  '',
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)} before it, embedded PostgreSQL with fsync on.`,
  `Medians (least–most) of ${turns} turns, with and without in turns.`,
  '',
  `## Making its bytes: ${callsATurn} calls a turn`,
  '',
  '| | CPU µs a call |',
  '| --- | --- |',
];

/** Of this thread, for each call. */
function cpuMicros(calls: readonly ModelCall[], make: (call: ModelCall) => void): number {
  const before = process.threadCpuUsage();
  for (const call of calls) make(call);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / calls.length;
}

const plain = Array.from({ length: callsATurn }, () => newCall());
const attributed = Array.from({ length: callsATurn }, (_, at) => newCall({ endUser: `user-${at % 500}`, feature: 'search' }));
const makers: readonly { readonly name: string; readonly calls: readonly ModelCall[]; readonly make: (call: ModelCall) => void }[] = [
  { name: 'the row alone', calls: plain, make: (call) => void rowBytes(call, instanceId, end) },
  {
    name: 'row and event',
    calls: plain,
    make(call) {
      rowBytes(call, instanceId, end);
      callEvent(call, end, references);
    },
  },
  {
    name: 'row and event, of 500 end users and a feature',
    calls: attributed,
    make(call) {
      rowBytes(call, instanceId, end);
      callEvent(call, end, references);
    },
  },
];
for (let turn = 0; turn < 3; turn++) for (const { calls, make } of makers) cpuMicros(calls, make);
const made = new Map(makers.map((maker) => [maker, [] as number[]]));
for (let turn = 0; turn < turns; turn++)
  for (const maker of turn % 2 === 0 ? makers : makers.toReversed()) made.get(maker)!.push(cpuMicros(maker.calls, maker.make));
for (const [{ name }, figures] of made) lines.push(`| ${name} | ${show(spread(figures), 2)} |`);

lines.push('', `## Committing it: ${commitsATurn} commits a turn`, '');
lines.push('| rows a commit | what | CPU µs a row, ours | the database’s |', '| --- | --- | --- | --- |');

const postgres = await startTestDatabase();
try {
  const database = await postgres.open();
  const writer = createLedgerWriter(() => database.pool('writer'), systemClock);
  const row = (withEvent: boolean): LedgerWrite => {
    const call = newCall();
    const bytes = rowBytes(call, instanceId, end);
    if (!withEvent) return { kind: 'row', bytes };
    const event = callEvent(call, end, references);
    return { kind: 'row', bytes, event: event.bytes, personal: event.personal };
  };
  await writer.write([row(true)], false);
  const [connection] = await postgres.asSuperuser<{ pid: number }>(
    `select pid from pg_stat_activity where application_name = 'holdfast writer'`,
  );
  const databaseNanos = (): number => Number(readFileSync(`/proc/${connection!.pid}/schedstat`, 'utf8').split(' ')[0]);
  async function measure(size: number, withEvent: boolean) {
    const [own, theirs] = [process.threadCpuUsage(), databaseNanos()];
    for (let commit = 0; commit < commitsATurn; commit++)
      await writer.write(
        Array.from({ length: size }, () => row(withEvent)),
        false,
      );
    const { user, system } = process.threadCpuUsage(own);
    const rows = commitsATurn * size;
    return { own: (user + system) / rows, theirs: (databaseNanos() - theirs) / 1000 / rows };
  }
  for (const withEvent of [false, true]) for (let turn = 0; turn < 4; turn++) await measure(8, withEvent);
  for (const size of sizes) {
    const found = { false: [] as Awaited<ReturnType<typeof measure>>[], true: [] as Awaited<ReturnType<typeof measure>>[] };
    for (let turn = 0; turn < turns; turn++)
      for (const withEvent of turn % 2 === 0 ? [false, true] : [true, false]) found[`${withEvent}`].push(await measure(size, withEvent));
    for (const withEvent of [false, true]) {
      const figures = found[`${withEvent}`];
      const columns = [figures.map(({ own }) => own), figures.map(({ theirs }) => theirs)].map((each) => show(spread(each), 1));
      lines.push(`| ${size} | ${withEvent ? 'row and event' : 'the row alone'} | ${columns.join(' | ')} |`);
    }
  }
  writer.close();
} finally {
  await postgres.stop();
}

const text = `${lines.join('\n')}\n`;
process.stdout.write(text);
if (!process.argv.includes('--no-write')) {
  const folder = fileURLToPath(new URL('results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}audit-events.md`, text);
}

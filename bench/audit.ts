/**
 * What the audit log costs: how many events a second get their places while a backlog waits, where that time goes, what a signature costs, and what
 * a proof takes in a log of a million: `npm run bench:audit [-- --leaves 1000000] [--no-write]`. Writes bench/results/audit.md.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { auditEventText, createCheckpointSigner, hashLeaf, signCheckpoint, TiledTree, type AuditEvent } from '@holdfast/kit/audit';
import { openProof } from '@holdfast/kit/audit/verify';
import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import {
  AuditSequencer,
  auditEventsSequenced,
  auditSequencerElected,
  createLogReader,
  openDatabaseSession,
} from '../packages/server/src/features/audit/index.ts';
import { placeEvents } from '../packages/server/src/features/audit/sequencer/place-events.ts';
import { createKeyRing } from '../packages/server/src/platform/keyring/index.ts';
import { startTestDatabase } from '../packages/server/test/support/postgres.ts';
import { show, spread } from './support/statistics.ts';

const { values } = parseArgs({
  options: { leaves: { type: 'string', default: '1000000' }, 'no-write': { type: 'boolean', default: false } },
});
const rounds = 10;
const perRound = Math.ceil(Number(values.leaves) / rounds);
const proofs = 500;

const createId = createUuidV7(systemClock, systemRandom);
const organizations = Array.from({ length: 50 }, createId);
const people = Array.from({ length: 500 }, createId);
const reference = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg';
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)]!;

/** As most are: a call of a model that went well. */
function event(): AuditEvent {
  return {
    v: 1,
    id: createId(),
    at: new Date().toISOString(),
    type: 'model.called',
    outcome: 'success',
    organization_id: pick(organizations),
    actor: { type: 'key', id: createId(), user_id: pick(people) },
    resource: { type: 'model', id: pick(['fast', 'clever', 'embeddings']) },
    request_id: createId(),
    client: { ip: reference, user_agent: reference },
    details: {
      ...{ operation: 'chat', dialect: 'openai', outcome: 'completed', status: 200, streamed: true, provider: 'primary', attempts: 1 },
      ...{ model_served: 'gpt-5-mini', prompt_tokens: 812, completion_tokens: 230, cost_nano_usd: 663_000, latency_ms: 1_204 },
    },
  };
}

const postgres = await startTestDatabase();
const database = await postgres.open();
const keyRing = createKeyRing([{ version: 1, secret: Buffer.alloc(32, 7) }]);
const lines = [
  '# The audit log',
  '',
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)} before it, embedded PostgreSQL ${postgres.majorVersion} with fsync on. Where two figures are in brackets they are the least and the most.`,
  '',
];

async function fill(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 5_000) {
    const events = Array.from({ length: Math.min(left, 5_000) }, event);
    await postgres.asSuperuser(
      `insert into holdfast.audit_inbox (id, organization_id, body) select * from unnest($1::uuid[], $2::uuid[], $3::text[])`,
      [events.map(({ id }) => id), events.map((each) => each.organization_id), events.map(auditEventText)],
    );
  }
}

function cpuNanosOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);
}

async function sequenceRound() {
  await fill(perRound);
  await postgres.asSuperuser('checkpoint');
  const sequencer = new AuditSequencer({
    openSession: () =>
      openDatabaseSession({ database, keyRing, clock: systemClock, random: systemRandom, createId, retentionDays: () => 0 }),
    ...{ createId, clock: systemClock, bufferSize: 100, breathe: () => new Promise((resolve) => void setImmediate(resolve)) },
  });
  const own = process.threadCpuUsage();
  const began = performance.now();
  let events = 0;
  let pid = 0;
  let nanosBefore = 0;
  let eventsBefore = 0;
  await new Promise<void>((resolve) => {
    const end = auditEventsSequenced.subscribe((batch) => {
      events += batch.events;
      if (events >= perRound) {
        end();
        resolve();
      }
    });
    sequencer.start();
    const elected = auditSequencerElected.subscribe(() => {
      elected();
      void postgres
        .asSuperuser<{ pid: number }>(
          `select pid from pg_stat_activity where application_name = 'holdfast sequencer' order by backend_start desc limit 1`,
        )
        .then(([row]) => {
          pid = row!.pid;
          nanosBefore = cpuNanosOf(pid);
          eventsBefore = events;
        });
    });
  });
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.threadCpuUsage(own);
  const databaseMicros = pid > 0 ? (cpuNanosOf(pid) - nanosBefore) / 1_000 / (events - eventsBefore) : Number.NaN;
  await sequencer.stop();
  return { perSecond: events / seconds, ownMicros: (user + system) / events, databaseMicros };
}

/** Microseconds of our thread an event, without a database. */
async function placing(): Promise<number> {
  const waiting = Array.from({ length: 20_000 }, (_, seq) => {
    const each = event();
    return { seq, id: each.id, organizationId: each.organization_id, body: auditEventText(each), lastNumber: 0, logged: undefined };
  });
  const before = process.threadCpuUsage();
  await placeEvents(waiting, new TiledTree(), { createId, now: () => '', breathe: () => Promise.resolve(), refused: new Set() });
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / waiting.length;
}

function signing(type: string): number {
  const { privateKey } = (generateKeyPairSync as unknown as (type: string) => { privateKey: KeyObject })(type);
  const signers = [createCheckpointSigner('bench', privateKey)];
  const head = { origin: 'bench', size: 1, root: hashLeaf(Buffer.alloc(0)) };
  const before = process.threadCpuUsage();
  for (let turn = 0; turn < 500; turn++) signCheckpoint(head, signers, turn);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 500;
}

async function proving() {
  const reader = createLogReader(database.query('operator'));
  const { size } = await reader.state();
  const keys = (await reader.keys()).map(({ verifierKey }) => verifierKey);
  const ids = (
    await postgres.asSuperuser<{ id: string }>(`select id from holdfast.audit_log where index = any ($1)`, [
      Array.from({ length: proofs }, () => Math.floor(Math.random() * size)),
    ])
  ).map(({ id }) => id);
  const times = async (work: (at: number) => Promise<unknown>): Promise<number[]> => {
    for (let at = 0; at < 50; at++) await work(at);
    const taken: number[] = [];
    for (let at = 0; at < ids.length; at++) {
      const began = performance.now();
      await work(at);
      taken.push(performance.now() - began);
    }
    return taken.sort((a, b) => a - b);
  };
  const before = process.threadCpuUsage();
  const inclusion = await times((at) => reader.proveEvent({ id: ids[at]! }));
  const { user, system } = process.threadCpuUsage(before);
  const consistency = await times(() => reader.proveConsistency(1 + Math.floor(Math.random() * (size - 1)), size));
  await openProof((await reader.proveEvent({ id: ids[0]! }))!.file, keys);
  return { size, inclusion, consistency, cpuMs: (user + system) / 1_000 / (ids.length + 50) };
}

const quantile = (sorted: readonly number[], part: number): string => sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(2);

try {
  const figures: Awaited<ReturnType<typeof sequenceRound>>[] = [];
  for (let round = 0; round < rounds; round++) {
    figures.push(await sequenceRound());
    process.stderr.write(`${(round + 1) * perRound} leaves\n`);
  }
  const column = (read: (figure: (typeof figures)[number]) => number, digits: number) => show(spread(figures.map(read)), digits);
  const pure = spread([await placing(), await placing(), await placing()]);
  const { size, inclusion, consistency, cpuMs } = await proving();
  const [bytes] = await postgres.asSuperuser<{ log: number; nodes: number }>(
    `select pg_total_relation_size('holdfast.audit_log')::float8 as log, pg_total_relation_size('holdfast.audit_nodes')::float8 as nodes`,
  );
  lines.push(
    `## Places`,
    '',
    `A backlog of ${perRound} events of some 900 bytes, ${rounds} times, into a log that grows to ${size}.`,
    '',
    '| | |',
    '| --- | --- |',
    `| leaves a second | ${column((each) => each.perSecond, 0)} |`,
    `| CPU µs a leaf, our thread | ${column((each) => each.ownMicros, 1)} |`,
    `| of that to read, number, write and hash it, without a database | ${show(pure, 1)} |`,
    `| CPU µs a leaf, the database’s process | ${column((each) => each.databaseMicros, 1)} |`,
    `| µs of a signature (one of each a batch of up to 1,000) | Ed25519 ${signing('ed25519').toFixed(0)}, ML-DSA-44 ${signing('ml-dsa-44').toFixed(0)} |`,
    `| bytes a leaf, indexes included | ${(bytes!.log / size).toFixed(0)} |`,
    `| of that what stays when it was removed | ${(bytes!.nodes / size).toFixed(0)} |`,
    '',
    '## Proofs',
    '',
    `Milliseconds from the call to the proof, one after the other, in a log of ${size}; ${proofs} of each. ${cpuMs.toFixed(2)} ms of the first are our thread at work.`,
    '',
    '| | p50 | p90 | p99 |',
    '| --- | --- | --- | --- |',
    `| an event is in the log, found by its id, with its file | ${quantile(inclusion, 0.5)} | ${quantile(inclusion, 0.9)} | ${quantile(inclusion, 0.99)} |`,
    `| the log is a continuation of an older one | ${quantile(consistency, 0.5)} | ${quantile(consistency, 0.9)} | ${quantile(consistency, 0.99)} |`,
    '',
    'A proof reads at most one whole tile and one row of what stands behind it for each level of tiles: three levels hold 1.6 · 10^7 events, four 4 · 10^9. So one at 10^9 reads one tile more than one at 10^6.',
  );
} finally {
  await postgres.stop();
}
const text = `${lines.join('\n')}\n`;
process.stdout.write(text);
if (!values['no-write']) {
  const folder = fileURLToPath(new URL('results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}audit.md`, text);
}

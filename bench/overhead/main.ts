/**
 * What watching costs a request: everything that watches on, against all of it off, and each part alone. Two servers at a time on the same core,
 * one of each kind, which take turns; several such couples, since two runs of one program differ by how they were compiled.
 *
 *   npm run bench:overhead -- [--couples 6] [--pairs 5] [--seconds 2] [--part-couples 3] [--only all|parts|"metrics"] [--no-write]
 */
import { mkdirSync, mkdtempSync, rmSync, chmodSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { otherCore, pinSelf, removeRunFolder, startUpstream } from '../gateway/subjects.ts';
import { cpuNanos, runOn } from '../support/process.ts';
import { meanOf, showMean, type Mean } from '../support/statistics.ts';
import { environmentOf, partsOf } from './parts.ts';
import { startServer, type MeasuredServer } from './server.ts';
import { startSink } from './sink-process.ts';

/** One turn of each server, in microseconds of processor time a request, or milliseconds of a call. */
interface Pair {
  readonly off: number;
  readonly on: number;
}
/** What two servers that were started together showed. */
interface Couple {
  readonly cpuMicros: readonly Pair[];
  readonly latencyMs: readonly Pair[];
}

const couples = Number(option('--couples') ?? 6);
const pairs = Number(option('--pairs') ?? 5);
const seconds = Number(option('--seconds') ?? 2);
const partCouples = Number(option('--part-couples') ?? 3);
const only = option('--only');
const warmSeconds = 5;
/** What is gathered is sent a second later at the latest: that belongs to the turn as well. */
const settleMs = 1_500;
const connections = 16;
const lateConnections = 8;
const loadProgram = fileURLToPath(new URL('../gateway/load.ts', import.meta.url));
const messages = [{ role: 'user', content: 'Tell me about the sea. '.repeat(40) }];

pinSelf();
const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-overhead-'));
chmodSync(folder, 0o711);
const upstream = await startUpstream();
const sink = await startSink(path.join(folder, 'sink.log'));
const parts = partsOf({ sinkPort: sink.port });
const lines: string[] = [];
const raw: Record<string, readonly Couple[]> = {};
const print = (line = ''): void => {
  lines.push(line);
  process.stdout.write(`${line}\n`);
};
const loadBefore = loadavg()[0]!;

try {
  print('# What watching costs');
  print();
  print(
    `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadBefore.toFixed(1)} before it. Both servers of a couple on one core, everything else on another. ` +
      `Processor time of the whole process, all its threads, over ${seconds} s of calls on ${connections} connections and ${settleMs} ms of rest; latency on ${lateConnections} connections to a provider that takes 20 ms.`,
  );
  print(`Mean and 95 % interval over couples of processes (${pairs} turns of each server in each).`);
  print();
  print('| on | CPU µs more a request | µs with it off | latency more, ms | % of the call | couples, pairs |');
  print('| --- | --- | --- | --- | --- | --- |');
  if (only === undefined || only === 'all') await compare('all of it', new Set(parts.map(({ name }) => name)), couples);
  for (const { name } of parts)
    if (only === undefined || only === 'parts' || only === name) await compare(name, new Set([name]), partCouples);
  print();
  print(`Aims: ≤ 15 µs, ≤ 2 %. All of it is: ${parts.map(({ name, says }) => (says ? `${name} (${says})` : name)).join(', ')}.`);
} finally {
  await sink.stop();
  await upstream.stop();
  removeRunFolder();
  rmSync(folder, { recursive: true, force: true });
}
if (!process.argv.includes('--no-write')) write();

async function compare(name: string, on: ReadonlySet<string>, count: number): Promise<void> {
  const measured: Couple[] = [];
  for (let at = 0; at < count; at++) measured.push(await measureCouple(`${Object.keys(raw).length}-${at}`, on));
  raw[name] = measured;
  const more = (read: (couple: Couple) => readonly Pair[]): Mean =>
    meanOf(measured.map((couple) => meanOf(read(couple).map((pair) => pair.on - pair.off)).mean));
  const off = (read: (couple: Couple) => readonly Pair[]): number =>
    meanOf(measured.map((couple) => meanOf(read(couple).map((pair) => pair.off)).mean)).mean;
  const latency = more(({ latencyMs }) => latencyMs);
  const callMs = off(({ latencyMs }) => latencyMs);
  const share = { ...latency, mean: (100 * latency.mean) / callMs, halfWidth: (100 * latency.halfWidth) / callMs };
  print(
    `| ${name} | ${showMean(
      more(({ cpuMicros }) => cpuMicros),
      1,
    )} | ${off(({ cpuMicros }) => cpuMicros).toFixed(1)} | ${showMean(latency, 3)} | ${showMean(share, 2)} | ${count}, ${count * pairs} |`,
  );
}

async function measureCouple(name: string, on: ReadonlySet<string>): Promise<Couple> {
  const start = (kind: string, switched: ReadonlySet<string>) =>
    startServer(path.join(folder, `${name}-${kind}`), upstream.port, environmentOf(parts, switched));
  const off = await start('off', new Set());
  const watched = await start('on', on);
  const cpuMicros: Pair[] = [];
  const latencyMs: Pair[] = [];
  try {
    for (const server of [off, watched]) await load(server, 'fast', connections, warmSeconds);
    for (let turn = 0; turn < pairs; turn++) {
      // Who begins changes, so that a machine that slows down slows both.
      const order = turn % 2 === 0 ? [off, watched] : [watched, off];
      const before = new Map(order.map((server) => [server, cpuNanos(server.pid)]));
      const served = new Map<MeasuredServer, number>();
      for (const server of order) served.set(server, (await load(server, 'fast', connections, seconds)).served);
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      const micros = (server: MeasuredServer): number => (cpuNanos(server.pid) - before.get(server)!) / 1_000 / served.get(server)!;
      cpuMicros.push({ off: round(micros(off)), on: round(micros(watched)) });
      const late = new Map<MeasuredServer, number>();
      for (const server of order) late.set(server, (await load(server, 'late', lateConnections, seconds)).meanLatencyMs);
      latencyMs.push({ off: round(late.get(off)!), on: round(late.get(watched)!) });
    }
  } finally {
    await off.stop();
    await watched.stop();
  }
  return { cpuMicros, latencyMs };
}

async function load(
  server: MeasuredServer,
  model: string,
  count: number,
  forSeconds: number,
): Promise<{ readonly served: number; readonly meanLatencyMs: number }> {
  const job = {
    port: server.port,
    path: '/v1/chat/completions',
    connections: count,
    seconds: forSeconds,
    warmupSeconds: 0,
    headers: server.headers,
    body: { model, messages },
  };
  const figures = JSON.parse(await runOn(otherCore, process.execPath, [loadProgram, JSON.stringify(job)])) as {
    served: number;
    meanLatencyMs: number;
    errors: number;
    firstError?: string;
  };
  if (figures.errors > 0) throw new Error(`${figures.errors} calls failed: ${figures.firstError}`);
  return figures;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function write(): void {
  const results = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(results, { recursive: true });
  writeFileSync(`${results}overhead.md`, `${lines.join('\n')}\n`);
  writeFileSync(`${results}overhead.json`, `${JSON.stringify({ node: process.version, loadBefore, couples: raw })}\n`);
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

/**
 * The gateway against a bare proxy and a peer, in one run: the gateway alone on core 0; load, upstream and PostgreSQL on
 * core 1. Subjects take turns within each round, so that a slow minute of the machine hits all of them.
 *
 *   npm run bench:gateway -- [--rounds 5] [--seconds 3] [--only plain|stream|paced] [--no-write]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cpuMicros, memoryMiB, runOn } from '../support/process.ts';
import { show, spread } from '../support/statistics.ts';
import {
  otherCore,
  startBareProxy,
  pinSelf,
  removeRunFolder,
  startHoldfast,
  startPortkey,
  startUpstream,
  type Subject,
} from './subjects.ts';

interface Figures {
  readonly requests: number;
  readonly perSecond: number;
  readonly errors: number;
  readonly firstError?: string;
  readonly latencyMs: Quantiles;
  readonly firstByteMs: Quantiles;
  readonly gapMs: Quantiles;
  readonly cpuMicrosPerRequest: number;
}
interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}
interface Case {
  readonly kind: 'plain' | 'stream';
  readonly connections: number;
}

const rounds = Number(option('--rounds') ?? 5);
const seconds = Number(option('--seconds') ?? 3);
const only = option('--only');
/** How long each subject is called before anything is measured. */
const warmSeconds = 5;
const loadProgram = fileURLToPath(new URL('load.ts', import.meta.url));
const prompt = 'Tell me about the sea. '.repeat(40);

const cases: readonly Case[] = (['plain', 'stream'] as const)
  .filter((kind) => only === undefined || only === kind)
  .flatMap((kind) => [1, 16, 64, 128].map((connections) => ({ kind, connections })));

const lines: string[] = [];
const print = (line = ''): void => {
  lines.push(line);
  process.stdout.write(`${line}\n`);
};

pinSelf();
const upstream = await startUpstream();
const subjects: Subject[] = [upstream, await startBareProxy(upstream)];
const portkey = await startPortkey(upstream);
if (portkey) subjects.push(portkey);
let holdfast = await startHoldfast(upstream);
subjects.push(holdfast);
// Once it has had nothing to do for 5 s it gives back what its start took.
await new Promise((resolve) => setTimeout(resolve, 12_000));
const idleMiB = memoryMiB(holdfast.pid).now;

print(`# Gateway`);
print();
print(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${rounds} rounds of ${seconds} s a case, medians (least–most).`,
);
print(
  `Gateway on one core; load, upstream and PostgreSQL on the other. Holdfast with keys, policy, ledger (fsync on), metrics, log, request log and performance tracker on.`,
);
if (!portkey) print('Portkey is not installed: `npm run bench:peers`.');

try {
  // Compilers go on for tens of thousands of requests: else the first case, and whoever has most code, pays for it.
  for (const each of subjects) await measure(each, { connections: 64, stream: false, paced: false, seconds: warmSeconds });
  for (const each of cases) await compare(each);
  if (only === undefined || only === 'paced') await comparePaced();
  print();
  print(
    `Memory of Holdfast's process: ${idleMiB} MiB idle 12 s after its start, ${memoryMiB(holdfast.pid).peak} MiB at its highest. Listening ${(holdfast.startedMs / 1000).toFixed(2)} s after the first start on a new folder.`,
  );
  const starts: number[] = [];
  for (let round = 0; round < rounds; round++) starts.push(await firstAnswerSeconds());
  print(`First answered call ${show(spread(starts), 2)} s after a start on a folder that was used before.`);
} finally {
  for (const each of [...subjects.slice(0, -1), holdfast].toReversed()) await each.stop();
  removeRunFolder();
}
if (!process.argv.includes('--no-write')) write();

/** From the start of the process to the last byte of a call's answer. */
async function firstAnswerSeconds(): Promise<number> {
  await holdfast.stop();
  const began = performance.now();
  holdfast = await startHoldfast(upstream);
  const answer = await fetch(`http://127.0.0.1:${holdfast.port}${holdfast.path}`, {
    method: 'POST',
    headers: { ...holdfast.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ model: holdfast.model(false), messages: [{ role: 'user', content: prompt }] }),
  });
  await answer.text();
  if (answer.status !== 200) throw new Error(`the first call was answered ${answer.status}`);
  return (performance.now() - began) / 1000;
}

async function compare(each: Case): Promise<void> {
  const figures = new Map<string, Figures[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects)
      figures.get(subject.name)!.push(await measure(subject, { ...each, stream: each.kind === 'stream', paced: false, seconds }));
  }
  const bare = figures.get('bare proxy')!;
  print();
  print(
    `## ${each.kind === 'plain' ? '1 KB answer' : 'Stream of 64 events at once'}, ${each.connections} connection${each.connections === 1 ? '' : 's'}`,
  );
  print();
  print('| | requests/s | of the bare proxy | added p50 ms | added p90 ms | CPU µs/request | errors |');
  print('| --- | --- | --- | --- | --- | --- | --- |');
  for (const { name } of subjects) {
    const own = figures.get(name)!;
    if (own.every((one) => one.requests === 0)) {
      print(`| ${name} | — | — | — | — | — | ${own.reduce((sum, one) => sum + one.errors, 0)} |`);
      print(`<!-- ${name}: ${own[0]!.firstError} -->`);
      continue;
    }
    const pairs = (read: (mine: Figures, theirs: Figures) => number) => spread(own.map((mine, round) => read(mine, bare[round]!)));
    const direct = figures.get('upstream alone')!;
    const added = (quantile: 'p50' | 'p90') =>
      show(spread(own.map((mine, round) => mine.latencyMs[quantile] - direct[round]!.latencyMs[quantile])), 3);
    print(
      `| ${name} | ${show(spread(own.map((one) => one.perSecond)), 0)} | ${show(
        pairs((mine, theirs) => mine.perSecond / theirs.perSecond),
        2,
      )} | ` +
        `${name === 'upstream alone' ? '' : added('p50')} | ${name === 'upstream alone' ? '' : added('p90')} | ` +
        `${name === 'upstream alone' ? '' : show(spread(own.map((one) => one.cpuMicrosPerRequest)), 0)} | ${own.reduce((sum, one) => sum + one.errors, 0)} |`,
    );
    const firstError = own.find((one) => one.firstError)?.firstError;
    if (firstError) print(`<!-- ${name}: ${firstError} -->`);
  }
  const theirs = portkey && figures.get(portkey.name)!;
  if (theirs?.every((one) => one.requests > 0)) {
    print();
    print(
      `Holdfast against Portkey: ${show(spread(figures.get('Holdfast')!.map((mine, round) => mine.perSecond / theirs[round]!.perSecond)), 1)} times.`,
    );
  }
}

/** How many streams of 64 events, 20 ms apart, are held without falling behind: the delay of an event is its gap beyond 20 ms. */
async function comparePaced(): Promise<void> {
  print();
  print('## Paced streams: 64 events, 20 ms apart');
  print();
  print('| | streams | delay of an event p50 ms | p90 | p99 | share of the core | errors |');
  print('| --- | --- | --- | --- | --- | --- | --- |');
  for (const connections of [128, 512, 768]) {
    for (const subject of subjects) {
      if (subject === portkey) continue;
      const figures = await measure(subject, { connections, stream: true, paced: true, seconds: Math.max(8, seconds) });
      const delay = (value: number) => Math.max(0, value - 20).toFixed(2);
      print(
        `| ${subject.name} | ${connections} | ${delay(figures.gapMs.p50)} | ${delay(figures.gapMs.p90)} | ${delay(figures.gapMs.p99)} | ` +
          `${subject === upstream ? '' : `${((figures.cpuMicrosPerRequest * figures.perSecond) / 10_000).toFixed(0)} %`} | ${figures.errors} |`,
      );
    }
  }
}

async function measure(
  subject: Subject,
  options: { readonly connections: number; readonly stream: boolean; readonly paced: boolean; readonly seconds: number },
): Promise<Figures> {
  const warmupSeconds = options.paced ? 2 : 0.5;
  const cpuBefore = cpuMicros(subject.pid);
  const began = performance.now();
  const text = await runOn(otherCore, process.execPath, [
    loadProgram,
    JSON.stringify({
      port: subject.port,
      path: subject.path,
      connections: options.connections,
      seconds: options.seconds,
      warmupSeconds,
      headers: subject.headers,
      body: { model: subject.model(options.paced), ...(options.stream && { stream: true }), messages: [{ role: 'user', content: prompt }] },
      gaps: options.paced,
      ...(options.paced && { spreadMs: 1_300 }),
    }),
  ]);
  const tookSeconds = (performance.now() - began) / 1000;
  const cpu = cpuMicros(subject.pid) - cpuBefore;
  const figures = JSON.parse(text) as Omit<Figures, 'cpuMicrosPerRequest'>;
  // The warm-up used the CPU as well: what it did is put down at the same rate.
  const served = figures.perSecond * Math.min(tookSeconds, options.seconds + warmupSeconds);
  return { ...figures, cpuMicrosPerRequest: cpu / served };
}

function write(): void {
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}gateway.md`, `${lines.join('\n')}\n`);
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

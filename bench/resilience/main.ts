/**
 * What a policy costs a call that goes well, against cockatiel and opossum, in one run: subjects take turns within each
 * round, so that a slow minute of the machine hits all of them.
 *
 *   npm run bench:peers && npm run bench:resilience -- [--rounds 15] [--calls 50000] [--no-write]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { show, spread } from '../support/statistics.ts';
import { makeCases, type Call } from './subjects.ts';

const libraries = ['holdfast', 'cockatiel', 'opossum'] as const;
type Library = (typeof libraries)[number];

interface Sample {
  readonly nanoseconds: number[];
  readonly bytes: number[];
}

const rounds = Number(option('--rounds') ?? 15);
const callsPerRound = Number(option('--calls') ?? 50_000);
const aimNanoseconds = 2_000;
const aimedAt = 'the same and a deadline';

const cases = await makeCases();
const samples = cases.map(() => new Map<Library, Sample>());
for (let round = -2; round < rounds; round++) {
  for (const [at, { concurrency = 1, begin, ...calls }] of cases.entries()) {
    // Turned round each time, so that nobody always comes first.
    for (const library of round % 2 === 0 ? libraries : libraries.toReversed()) {
      const call = calls[library];
      if (!call) continue;
      const end = begin?.();
      const measured = await measure(call, concurrency);
      end?.();
      // The first rounds are for the compiler.
      if (round < 0) continue;
      const sample = samples[at]!.get(library) ?? { nanoseconds: [], bytes: [] };
      samples[at]!.set(library, sample);
      sample.nanoseconds.push(measured.nanoseconds);
      sample.bytes.push(measured.bytes);
    }
  }
}

const rows = cases.map(({ name }, at) => {
  const cells = libraries.map((library) => {
    const sample = samples[at]!.get(library);
    return sample ? `${show(spread(sample.nanoseconds), 0)} | ${Math.round(spread(sample.bytes).median)}` : '– | –';
  });
  return `| ${name} | ${cells.join(' | ')} |`;
});
const aimed = samples[cases.findIndex(({ name }) => name === aimedAt)]!.get('holdfast')!;
const median = spread(aimed.nanoseconds).median;
const report = `# Resilience policies, per call that goes well

${rounds} rounds of ${callsPerRound.toLocaleString('en')} calls each, the libraries in turn; Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}).
Nanoseconds are processor time of the whole process, garbage collection included: median (lowest–highest round). Bytes are what a call allocates, the
function's own promise included. Peers: cockatiel ${version('cockatiel')}, opossum ${version('opossum')}; a dash is a policy that a library does not have in this form.
A call that goes well at once announces nothing; what an announcement costs shows in the two lines of a retry.

| policy | Holdfast, ns | bytes | cockatiel, ns | bytes | opossum, ns | bytes |
|---|---|---|---|---|---|---|
${rows.join('\n')}

Aim: a composed policy in at most ${aimNanoseconds.toLocaleString('en')} ns. "${aimedAt}" (deadline → retry → breaker → bulkhead → timeout): ${Math.round(median).toLocaleString('en')} ns, ${median <= aimNanoseconds ? 'met' : 'missed'}.

The timer of the timeout is most of it: with one call at a time Node starts and stops its own timer for each, a hundred at a time share it, as the calls of a server
do. A deadline around a timeout sets none. cockatiel makes an AbortController for each call with a timeout; ours is made when the function asks for its signal.
opossum's timeout does not stop the function, and it has neither retry nor a queue. A refusal is dear at all three because it is an error with its stack.
`;
process.stdout.write(report);
if (!process.argv.includes('--no-write')) writeFileSync(new URL('../results/resilience.md', import.meta.url), report);
// opossum keeps its timers.
process.exit(median <= aimNanoseconds ? 0 : 1);

async function measure(call: Call, concurrency: number): Promise<{ readonly nanoseconds: number; readonly bytes: number }> {
  // No collection is forced before it: that throws away what the compiler knows, and triples the figures of everybody.
  const bytesBefore = allocatedBytes();
  const before = process.cpuUsage();
  if (concurrency === 1) {
    for (let done = 0; done < callsPerRound; done++) await call();
  } else {
    for (let done = 0; done < callsPerRound; done += concurrency) await Promise.all(Array.from({ length: concurrency }, call));
  }
  const { user, system } = process.cpuUsage(before);
  return { nanoseconds: ((user + system) * 1_000) / callsPerRound, bytes: (allocatedBytes() - bytesBefore) / callsPerRound };
}

function allocatedBytes(): number {
  return (getHeapStatistics() as { total_allocated_bytes?: number }).total_allocated_bytes ?? Number.NaN;
}

function version(name: string): string {
  try {
    return (JSON.parse(readFileSync(new URL(`../peers/node_modules/${name}/package.json`, import.meta.url), 'utf8')) as { version: string })
      .version;
  } catch {
    return 'not installed';
  }
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

/**
 * What the layers around the attempts at a target add to a call whose first attempt succeeds: `npm run bench:target-layers`. Writes
 * bench/results/target-layers.md. Without a provider and a network; the clock and its timers are the machine's, and chance is real.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { attemptLimitDefaults, attemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';
import { attemptBreaker } from '@holdfast/kit/llm/layers/breaker';
import { attemptBulkhead } from '@holdfast/kit/llm/layers/bulkhead';
import { attemptRetry } from '@holdfast/kit/llm/layers/retry';
import { readShallowBody, type AttemptNext, type AttemptRequest, type AttemptResult, type RestartableSink } from '@holdfast/kit/llm';
import { createBulkhead, createCircuitBreaker } from '@holdfast/kit/resilience';
import { Cancellation, systemClock } from '@holdfast/kit/time';
import { show, spread } from './support/statistics.ts';

const callsPerRound = 100_000;
const rounds = 15;

const result: AttemptResult = {
  head: { headers: {} },
  tail: Buffer.from('{}'),
  usage: undefined,
  finishReason: 'stop',
  servedModel: undefined,
  outputBytes: 0,
};
const answered = Promise.resolve(result);
const provide: AttemptNext = (_request, sink) => {
  sink.connected();
  return answered;
};
const sink: RestartableSink = { begun: false, connected() {}, pulse() {}, head() {}, data: () => true, drained() {}, abandon() {} };
const body = readShallowBody(Buffer.from('{"messages":[]}'));
const newRequest = (): AttemptRequest => ({
  operation: 'chat',
  dialect: 'openai',
  model: 'm',
  stream: false,
  body,
  headers: {},
  cancellation: new Cancellation(),
  deadlineAt: systemClock.monotonic() + 600_000,
});

const limited = attemptLimits(attemptLimitDefaults, systemClock)(provide);
const guarded = attemptBreaker(createCircuitBreaker({ name: 'p/m' }))(limited);
const bounded = attemptBreaker(createCircuitBreaker({ name: 'p/m' }))(
  attemptBulkhead(createBulkhead({ name: 'p/m', maxConcurrent: 1_000 }))(limited),
);
const subjects: Readonly<Record<string, AttemptNext | ReturnType<ReturnType<typeof attemptRetry>>>> = {
  'limits alone': limited,
  'limits, breaker': guarded,
  'limits, breaker, retry (the default)': attemptRetry({ name: 'p/m' })(guarded),
  'limits, bulkhead, breaker, retry': attemptRetry({ name: 'p/m' })(bounded),
};

async function measure(subject: (request: AttemptRequest, sink: RestartableSink) => Promise<AttemptResult>): Promise<number> {
  // Processor time, not time on the wall: other programs on the machine take the second from us, and hardly the first.
  const before = process.cpuUsage();
  for (let at = 0; at < callsPerRound; at++) await subject(newRequest(), sink);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / callsPerRound;
}

const samples = new Map<string, number[]>();
// In turns: what the machine does meanwhile falls on all alike. The first two rounds warm up.
for (let round = -2; round < rounds; round++) {
  for (const [name, subject] of Object.entries(subjects)) {
    const value = await measure(subject);
    if (round >= 0) samples.set(name, [...(samples.get(name) ?? []), value]);
  }
}

const base = samples.get('limits alone')!;
const row = (name: string) => {
  const own = samples.get(name)!;
  const added = own.map((value, round) => value - base[round]!);
  return `| ${name} | ${show(spread(own), 2)} | ${name === 'limits alone' ? '' : show(spread(added), 2)} |`;
};
const report = `# Layers of a target

\`npm run bench:target-layers\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model.trim()} × ${availableParallelism()}.
Microseconds of processor time a call whose first attempt succeeds: median (lowest–highest) of ${rounds} rounds of ${callsPerRound.toLocaleString('en')} calls, one after the other. The aim
is at most 3 µs for all that is new.

| layers | a call | added |
| --- | --- | --- |
${Object.keys(subjects).map(row).join('\n')}
`;
await writeFile(new URL('results/target-layers.md', import.meta.url), report);
process.stdout.write(report);

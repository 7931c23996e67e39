/**
 * What metrics cost: a call, an observation of a user's own, and a scrape: `npm run bench:metrics`. Writes bench/results/metrics.md. Processor
 * time, not time by the clock, so that a busy machine disturbs it little; the least of all rounds.
 */
import { writeFile } from 'node:fs/promises';
import { httpRequestFinished, type HttpRequestFinished } from '@holdfast/kit/events';
import { callFinished, type CallFinished } from '@holdfast/kit/llm';
import { takeDecided, type Decision } from '@holdfast/kit/ratelimit';
import { createCustomMetrics, createMetrics, type ExpositionFormat, type Metrics } from '@holdfast/kit/telemetry';

const rounds = 25;
const perRound = 50_000;

const request = {
  requestId: 'r-1',
  method: 'POST',
  route: '/v1/chat/completions',
  path: '/v1/chat/completions',
  status: 200,
  latencyMs: 30,
  requestBytes: 300,
  responseBytes: 900,
} as unknown as HttpRequestFinished;
const call = {
  organizationId: '019a9c50-11aa-7f00-8d11-000000000001',
  operation: 'chat',
  modelAsked: 'fast',
  provider: 'primary',
  outcome: 'completed',
  usage: { promptTokens: 100, completionTokens: 20, cachedTokens: 40, cacheWriteTokens: 0, reasoningTokens: 5, source: 'provider' },
  costNanoUsd: 1_500,
  latencyMs: 900,
  firstTokenMs: 120,
  overheadMs: 0.25,
  attempts: 1,
} as unknown as CallFinished;
const bucket = (name: string) => ({ policy: { name, shadow: false }, refused: false, taken: true });
const decision = { buckets: [bucket('key'), bucket('basic'), bucket('basic.hour')] } as unknown as Decision;
const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '', sampled: true, wantsContent: false, newSpanId: () => '' };

/** Announces what one call does, as the server does: nothing is built when nobody listens. */
function announce(index: number, traced: boolean): void {
  if (takeDecided.hasSubscribers) takeDecided.publish({ decision });
  if (callFinished.hasSubscribers) callFinished.publish({ ...call, latencyMs: index % 3_000, ...(traced && { trace }) });
  if (httpRequestFinished.hasSubscribers) httpRequestFinished.publish({ ...request, latencyMs: index % 3_000, ...(traced && { trace }) });
}

/** Microseconds of processor time. */
function least(work: (index: number) => void): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let index = 0; index < perRound; index++) work(index);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / perRound);
  }
  return Math.min(...times);
}

function listening<Result>(options: Parameters<typeof createMetrics>[0], work: () => Result): Result {
  const stop = createMetrics({ isKnownModel: () => true, processMetrics: false, ...options }).listen();
  const result = work();
  stop();
  return result;
}

const off = least((index) => announce(index, false));
// A listener that does nothing: the messages and their way, which logs and traces share.
const idle = [takeDecided.subscribe(() => {}), callFinished.subscribe(() => {}), httpRequestFinished.subscribe(() => {})];
const heard = least((index) => announce(index, false));
for (const stop of idle) stop();
const on = listening({}, () => least((index) => announce(index, false)));
const onWithOrganizations = listening({ maxOrganizations: 200 }, () => least((index) => announce(index, false)));
const onTraced = listening({ maxOrganizations: 200 }, () => least((index) => announce(index, true)));

const custom = createCustomMetrics();
const counter = custom.counter({ name: 'documents_total', help: 'Documents.', labels: ['kind', 'source'] });
const histogram = custom.histogram({ name: 'size_bytes', help: 'Sizes.', labels: ['kind'] });
const counted = least(() => counter.add(1, { kind: 'pdf', source: 'upload' }));
const observed = least((index) => histogram.observe(index, { kind: 'pdf' }));
const overflowing = createCustomMetrics().counter({ name: 'hostile_total', help: 'Hostile.', labels: ['value'], maxSeries: 100 });
const overflowed = least((index) => overflowing.add(1, { value: `made up ${index}` }));

interface Scrape {
  readonly lines: number;
  readonly kilobytes: number;
  readonly cpuMs: number;
}

/** The least processor time of a scrape. */
async function measureScrape(metrics: Metrics, format: ExpositionFormat): Promise<Scrape> {
  let text = '';
  let size = 0;
  const times: number[] = [];
  for (let round = 0; round < 15; round++) {
    const before = process.cpuUsage();
    text = await metrics.scrape(format);
    // As it is sent: V8 puts a text together only when somebody reads it.
    size = Buffer.from(text).length;
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1_000);
  }
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  return { lines, kilobytes: Math.round(size / 1_024), cpuMs: Math.min(...times) };
}

/** A server with so many models, each of which was called in every way, and with all its routes. */
function metricsOf(models: number): Metrics {
  const metrics = createMetrics({ isKnownModel: () => true, maxOrganizations: 200 });
  for (let model = 0; model < models; model++) {
    for (const outcome of ['completed', 'failed', 'aborted'] as const) {
      metrics.recordCall({ ...call, modelAsked: `model-${model}`, outcome, organizationId: `organization-${model % 200}` });
    }
  }
  for (let route = 0; route < 60; route++) {
    for (const status of [200, 400, 500]) metrics.recordRequest({ ...request, route: `/api/route-${route}/:id`, status });
  }
  return metrics;
}

const scrapes: string[][] = [];
for (const models of [10, 100, 600]) {
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const { lines, kilobytes, cpuMs } = await measureScrape(metricsOf(models), format);
    scrapes.push([String(models), format, lines.toLocaleString('en'), String(kilobytes), cpuMs.toFixed(1)]);
  }
}

const micro = (value: number): string => value.toFixed(2);
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const lines = [
  '# Metrics',
  '',
  `\`npm run bench:metrics\`, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}. Processor time; the least of ${rounds} rounds of ${perRound.toLocaleString('en')}.`,
  '',
  '## A model call',
  '',
  'The announcements of one call (the step of the limits with three levels, the call, the request) and what is made of them.',
  '',
  '| | µs a call |',
  '| --- | --- |',
  row(['nobody listens', micro(off)]),
  row(['somebody listens and does nothing: the messages, which logs and traces share', micro(heard)]),
  row(['metrics, without organizations', micro(on)]),
  row(['metrics', micro(onWithOrganizations)]),
  row(['metrics, each with an exemplar', micro(onTraced)]),
  row(['**what metrics add: metrics less messages**', `**${micro(onWithOrganizations - heard)}**`]),
  '',
  '## An observation of a user’s own',
  '',
  '| | µs |',
  '| --- | --- |',
  row(['`counter.add` with two labels', micro(counted)]),
  row(['`histogram.observe` with one label', micro(observed)]),
  row(['`counter.add` with a value that finds its metric full', micro(overflowed)]),
  '',
  '## A scrape',
  '',
  'Each model called with three outcomes, 60 routes with three classes of status.',
  '',
  '| models | format | samples | KiB | ms of processor |',
  '| --- | --- | --- | --- | --- |',
  ...scrapes.map(row),
  '',
];
await writeFile(new URL('results/metrics.md', import.meta.url), lines.join('\n'));
console.log(lines.join('\n'));

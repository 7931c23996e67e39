/**
 * What tracing costs a call of a model, part by part, in CPU: `node --conditions=dev-source bench/tracing.ts`. Writes bench/results/tracing.md.
 * What is sent goes nowhere; encoding, which happens between requests, is measured by itself.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { httpRequestFinished, httpRequestHandled, type HttpRequestFinished, type RequestTrace } from '@holdfast/kit/events';
import { callTraced, type TracedAttempt } from '@holdfast/kit/llm';
import { createTracing, trace as traceFunction, type Span, type TracingNumbers } from '@holdfast/kit/telemetry/tracing';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { encodeSpans } from '../packages/kit/src/telemetry/tracing/drivers/otlp/encode.ts';

const callsPerRound = 20_000;
const rounds = 15;

const headers = { host: 'x', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', 'content-type': 'application/json' };
const body = { model: 'fast', max_tokens: 100, temperature: 0.5, messages: [{ role: 'user', content: 'hello there, how are you?' }] };
const attempt: TracedAttempt = {
  number: 1,
  provider: 'primary',
  providerKind: 'openai',
  model: 'gpt-4o-mini',
  address: 'api.openai.com',
  port: 443,
  outcome: 'completed',
  errorCode: undefined,
  beganAt: 10,
  endedAt: 90,
  firstChunkAt: 40,
  servedModel: 'gpt-4o-mini-2024-07-18',
  responseId: 'chatcmpl-1',
  finishReason: 'stop',
  usage: { promptTokens: 12, completionTokens: 7, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, source: 'provider' },
  spanId: undefined,
  answer: undefined,
};

/** What the door and the layers do of it, for one call. */
function call(trace: RequestTrace): void {
  callTraced.publish({
    trace,
    callId: '019a9c50-11aa-7f00-8d11-000000000000',
    operation: 'chat',
    dialect: 'openai',
    streamed: true,
    organizationId: 'o',
    errorCode: undefined,
    overheadMs: 1,
    costNanoUsd: 10,
    body,
    layers: [{ name: 'ledger.settle', beganAt: 90, endedAt: 92, errorCode: undefined }],
    attempts: [{ ...attempt }],
  });
  httpRequestFinished.publish({
    requestId: '019a9c50-11aa-7f00-8d11-000000000001',
    method: 'POST',
    route: '/v1/chat/completions',
    path: '/v1/chat/completions',
    status: 200,
    latencyMs: 100,
    requestBytes: 100,
    responseBytes: 100,
    client: 'c',
    organizationId: 'o',
    keyId: 'k',
    userId: undefined,
    traceId: trace.traceId,
    errorCode: undefined,
    errorCategory: undefined,
    notes: undefined,
    trace,
  } satisfies HttpRequestFinished);
}

/** Median of the rounds, in microseconds of CPU a call. */
function measure(work: (index: number) => unknown): number {
  const taken: number[] = [];
  for (let round = 0; round < rounds + 3; round++) {
    const before = process.cpuUsage();
    for (let index = 0; index < callsPerRound; index++) work(index);
    const { user, system } = process.cpuUsage(before);
    if (round >= 3) taken.push((user + system) / callsPerRound);
  }
  return taken.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

let kept: readonly Span[] = [];
function withTracing(numbers: Partial<TracingNumbers>, work: (begin: () => RequestTrace) => number): number {
  const exporter = {
    async export(spans: readonly Span[]) {
      if (spans.length === 512) kept = spans;
      return { exported: spans.length, rejected: 0, failed: 0 };
    },
    close: async () => {},
  };
  const tracing = createTracing({ exporter, clock: systemClock, random: systemRandom, ...numbers });
  const stop = tracing.listen();
  const result = work(() => tracing.begin(headers));
  stop();
  return result;
}

const off = measure(() => traceFunction('work', () => 1));
const dropped = withTracing({ sampler: 'parentbased_always_on' }, (begin) => measure(() => call(begin())));
const sampled = withTracing({ sampler: 'always_on', maxQueueSize: 100_000_000 }, (begin) => measure(() => call(begin())));
const inScope = withTracing({ sampler: 'always_on' }, (begin) => {
  const trace = begin();
  return measure(() => httpRequestHandled.run({ trace }, () => 1));
});
await new Promise((resolve) => setTimeout(resolve, 100));
if (kept.length !== 512) throw new Error('nothing was kept to be encoded');

async function encoding(protocol: 'http/protobuf' | 'http/json'): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < rounds * 4; round++) {
    const before = process.cpuUsage();
    await encodeSpans(kept, { resource: { 'service.name': 'holdfast' }, version: '1' }, protocol);
    const { user, system } = process.cpuUsage(before);
    if (round >= rounds) taken.push((user + system) / kept.length);
  }
  return taken.toSorted((a, b) => a - b)[Math.floor(taken.length / 2)]!;
}
const protobuf = await encoding('http/protobuf');
const json = await encoding('http/json');

const spansACall = 3;
const row = (name: string, microseconds: number): string => `| ${name} | ${microseconds.toFixed(2)} |`;
const text = `# What tracing costs

Node ${process.versions.node}, ${availableParallelism()} cores; median of ${rounds} rounds of ${callsPerRound} calls, CPU of the process. A call has ${spansACall} spans: the request, one layer, one attempt.

| part | µs |
| --- | --- |
${[
  row('off: one look, for `trace(name, fn)`; the request path looks at an undefined member', off),
  row('a call that is not kept: context read, notes announced, decision at its end', dropped),
  row(`a call that is kept: the same, and ${spansACall} spans made and queued`, sampled),
  row('an asynchronous context for statements, of a call that is sampled', inScope),
  row('encoding of one span as protobuf, between requests', protobuf),
  row('encoding of one span as JSON, between requests', json),
].join('\n')}

So a call that is not kept costs ${dropped.toFixed(1)} µs, and one that is ${(sampled + inScope + spansACall * protobuf).toFixed(1)} µs, of which ${(spansACall * protobuf).toFixed(1)} are not on its path. At a ratio of 5 % the mean is ${(0.95 * dropped + 0.05 * (sampled + inScope + spansACall * protobuf)).toFixed(1)} µs.
`;
await writeFile(new URL('results/tracing.md', import.meta.url), text);
process.stdout.write(text);

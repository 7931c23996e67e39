/**
 * What limits on the use of models add to a call: `npm run bench:model-limits`. Writes bench/results/model-limits.md.
 * The layer alone, around a call that ends at once, with the limiter in memory: it estimates, takes, and settles.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { readShallowBody, type AttemptResult } from '@holdfast/kit/llm';
import { createMemoryDriver, createRateLimiter } from '@holdfast/kit/ratelimit';
import { Cancellation, systemClock } from '@holdfast/kit/time';
import type { CallRateLimits } from '../packages/server/src/model/index.ts';
import { limitsLayer } from '../packages/server/src/model/layers/index.ts';
import { emptyRecord, type ModelCall } from '../packages/server/src/model/model-call.ts';
import { show, spread } from './support/statistics.ts';

const callsPerRound = 100_000;
const rounds = 15;

const limiter = createRateLimiter({ driver: createMemoryDriver({ clock: systemClock }) });
const answer = {} as AttemptResult;
const usage = {
  promptTokens: 250,
  completionTokens: 100,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  source: 'provider',
} as const;
const settled: NonNullable<ModelCall['record']['settled']> = {
  outcome: 'completed',
  error: undefined,
  use: undefined,
  usage,
  costNanoUsd: 0,
};
/** A system prompt and a question, a kilobyte in all. */
const body = readShallowBody(
  Buffer.from(
    JSON.stringify({
      model: 'fast',
      max_tokens: 300,
      messages: [
        { role: 'system', content: 'You answer in short sentences, and say so when you do not know. '.repeat(6) },
        { role: 'user', content: 'What does a backend that calls language models get wrong first? '.repeat(8) },
      ],
    }),
  ),
);

const tokens: CallRateLimits = { tokensPerMinute: 60_000_000_000 };
const everything: CallRateLimits = { requestsPerMinute: 1_000_000_000, tokensPerMinute: 60_000_000_000, concurrent: 1_000 };
const cases: readonly { readonly name: string; readonly levels: readonly (CallRateLimits | undefined)[]; readonly aim: string }[] = [
  { name: 'no limit', levels: [], aim: 'about 0' },
  { name: 'tokens of a key', levels: [undefined, tokens], aim: '' },
  { name: 'tokens of model, key and organization', levels: [tokens, { ...tokens }, { ...tokens }], aim: '≤ 3' },
  { name: 'calls, tokens and places of all three: nine buckets', levels: [everything, { ...everything }, { ...everything }], aim: '≤ 3' },
];

function measured(levels: readonly (CallRateLimits | undefined)[]): () => Promise<number> {
  const [model, key, organization] = levels;
  const current = { organizationLimits: () => organization, assumedCompletionTokens: 1_000, shadow: false };
  const run = limitsLayer(
    { limiter, current },
    systemClock,
  )((call) => {
    call.record.settled = settled;
    return Promise.resolve(answer);
  });
  const route = { name: 'fast', targets: [], rateLimits: model, totalMs: 1, holdBackMs: 0, triesAgain: false };
  const principal = {
    organizationId: 'o',
    organizationTier: 'pro',
    keyId: 'k',
    userId: undefined,
    scopes: new Set<never>(),
    allowedModels: undefined,
    rateLimits: key,
  };
  const context = { requestId: 'r', principal, cancellation: new Cancellation(), startedAt: 0, startedMonotonic: 0 };
  return async () => {
    // Processor time, not time on the wall: other programs on the machine take the second from us, and hardly the first.
    const before = process.cpuUsage();
    for (let at = 0; at < callsPerRound; at++)
      await run({ context, operation: 'chat', body, record: { ...emptyRecord(), route } } as unknown as ModelCall);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / callsPerRound;
  };
}

const subjects = cases.map((each) => ({ ...each, measure: measured(each.levels), samples: [] as number[] }));
// In turns: what the machine does meanwhile falls on all alike. The first two rounds warm up.
for (let round = -2; round < rounds; round++) {
  for (const { measure, samples } of subjects) {
    const value = await measure();
    if (round >= 0) samples.push(value);
  }
}
limiter.close();

const report = `# Limits on the use of models

\`npm run bench:model-limits\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model.trim()} × ${availableParallelism()}.
Microseconds of processor time a call, the making of the call included: median (lowest–highest) of ${rounds} rounds of ${callsPerRound.toLocaleString('en')} calls, the limiter in memory.

| limited | µs | aim |
| --- | --- | --- |
${subjects.map(({ name, samples, aim }) => `| ${name} | ${show(spread(samples), 2)} | ${aim} |`).join('\n')}
`;
await writeFile(new URL('results/model-limits.md', import.meta.url), report);
process.stdout.write(report);

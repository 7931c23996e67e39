/**
 * What a strategy adds to a call: `npm run bench:target-order`. Writes bench/results/target-order.md.
 * Choosing alone, and for `latency` telling it of the try as well; without a provider, a clock that is the machine's, and chance that is real.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { costNanoUsd, createPriceBook } from '@holdfast/kit/llm/pricing';
import { readShallowBody } from '@holdfast/kit/llm';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import {
  createRouting,
  routeStrategies,
  RoutingMemory,
  type RoutedCall,
  type RouteStrategy,
} from '../packages/server/src/model/routing/index.ts';
import { show, spread } from './support/statistics.ts';

const callsPerRound = 200_000;
const rounds = 15;
const models = ['gpt-4o-mini', 'gpt-4o', 'gpt-4.1-mini', 'gpt-4.1'];
const aims: Record<RouteStrategy, number> = { fallback: 1, weighted: 2, latency: 2, cost: 2 };

const book = createPriceBook();
/** A conversation of ten turns, as a chat has them. */
const conversation = {
  model: 'fast',
  max_tokens: 500,
  messages: Array.from({ length: 10 }, (_, at) => ({
    role: at % 2 ? 'assistant' : 'user',
    content: 'A sentence of some forty characters. '.repeat(10),
  })),
};
const call: RoutedCall = {
  operation: 'chat',
  stream: true,
  body: readShallowBody(Buffer.from(JSON.stringify(conversation))),
  context: { startedAt: Date.now() },
  record: {
    pricing: {
      costNanoUsd({ providerKind, model, usage, at }) {
        const prices = book.priceOf({ provider: providerKind, model, at });
        return prices === undefined ? null : (costNanoUsd(usage, prices) ?? null);
      },
    },
  },
};

function measure(strategy: RouteStrategy, count: number): number {
  const targets = models.slice(0, count).map((model) => ({
    name: `primary/${model}`,
    provider: { kind: 'openai', supports: () => true },
    model,
    weight: 1,
    breaker: { state: 'closed' as const },
  }));
  const routing = createRouting({ strategy, targets, random: systemRandom, memory: new RoutingMemory(systemClock) });
  let chosen = 0; // Looked at in the end, so that nothing is optimised away.
  // Processor time, not time on the wall: other programs on the machine take the second from us, and hardly the first.
  const before = process.cpuUsage();
  for (let at = 0; at < callsPerRound; at++) {
    const target = routing.order(call)[0]!;
    const latency = routing.latencyOf(target, call);
    if (latency) {
      const startedAt = systemClock.monotonic();
      latency.started(startedAt);
      latency.answered(startedAt);
    }
    if (target === targets[0]) chosen++;
  }
  const { user, system } = process.cpuUsage(before);
  if (chosen > callsPerRound) throw new Error('there cannot be more choices than calls');
  return (user + system) / callsPerRound;
}

const samples = new Map<string, number[]>();
// In turns: what the machine does meanwhile falls on all alike. The first two rounds warm up.
for (let round = -2; round < rounds; round++) {
  for (const strategy of routeStrategies) {
    for (const count of [2, 4]) {
      const key = `${strategy} ${count}`;
      const value = measure(strategy, count);
      if (round >= 0) samples.set(key, [...(samples.get(key) ?? []), value]);
    }
  }
}

const row = (strategy: RouteStrategy) => {
  const [two, four] = [2, 4].map((count) => show(spread(samples.get(`${strategy} ${count}`)!), 3));
  return `| ${strategy} | ${two} | ${four} | ≤ ${aims[strategy]} |`;
};
const report = `# Choosing a target

\`npm run bench:target-order\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model.trim()} × ${availableParallelism()}.
Microseconds of processor time a call: median (lowest–highest) of ${rounds} rounds of ${callsPerRound.toLocaleString('en')} calls. \`latency\` includes telling it of the try; \`cost\` estimates a conversation
of ten turns and looks each price up.

| strategy | 2 targets | 4 targets | aim |
| --- | --- | --- | --- |
${routeStrategies.map(row).join('\n')}
`;
await writeFile(new URL('results/target-order.md', import.meta.url), report);
process.stdout.write(report);

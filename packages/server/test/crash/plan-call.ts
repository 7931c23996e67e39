import type { Random } from '@holdfast/kit/time';
import { writeMarker, type PlannedAnswer } from './marker.ts';
import type { CallToSend } from './send-call.ts';

/** One call by chance: dialect, model, plain or streamed, quick or slow, now and then one that fails or a client that leaves. */
export function planCall(random: Random, run: string, round: number, number: number): CallToSend {
  const stream = random.next() < 0.6;
  const errorStatus = random.next() < 0.04 ? pick(random, [400, 429, 500, 503]) : undefined;
  const cutAfter = stream && random.next() < 0.04 ? 1 + below(random, 4) : undefined;
  const answer: PlannedAnswer = {
    promptTokens: 1 + below(random, 400),
    ...pick(random, stream ? streamShapes : plainShapes)(random),
    ...(errorStatus !== undefined && { errorStatus }),
    ...(cutAfter !== undefined && errorStatus === undefined && { cutAfter }),
  };
  return {
    marker: writeMarker({ run, round, number, answer }),
    round,
    dialect: pick(random, ['openai', 'anthropic']),
    stream,
    model: pick(random, ['fast', 'smart']),
    asksUsage: random.next() < 0.5,
    leavesAfterBytes: random.next() < 0.05 ? 1 + below(random, 1_500) : undefined,
  };
}

type Shape = (random: Random) => Pick<PlannedAnswer, 'chunks' | 'spacingMs' | 'delayMs'>;

const plainShapes: readonly Shape[] = [
  (random) => ({ chunks: 1 + below(random, 20), spacingMs: 0, delayMs: 0 }),
  (random) => ({ chunks: 1 + below(random, 20), spacingMs: 0, delayMs: 0 }),
  // Around the age at which an intent is written.
  (random) => ({ chunks: 1 + below(random, 200), spacingMs: 0, delayMs: 1 + below(random, 30) }),
  (random) => ({ chunks: 1 + below(random, 200), spacingMs: 0, delayMs: 100 + below(random, 900) }),
];

const streamShapes: readonly Shape[] = [
  (random) => ({ chunks: 1 + below(random, 20), spacingMs: 0, delayMs: 0 }),
  (random) => ({ chunks: 1 + below(random, 20), spacingMs: 1 + below(random, 3), delayMs: below(random, 15) }),
  (random) => ({ chunks: 5 + below(random, 30), spacingMs: 5 + below(random, 25), delayMs: below(random, 300) }),
  (random) => ({ chunks: 200 + below(random, 800), spacingMs: 0, delayMs: below(random, 20) }),
];

export function below(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

export function pick<Each>(random: Random, list: readonly Each[]): Each {
  return list[below(random, list.length)]!;
}

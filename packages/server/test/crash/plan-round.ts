import type { Random } from '@holdfast/kit/time';
import type { LoadEvent } from './messages.ts';
import { below, pick } from './plan-call.ts';

/**
 * What ends a round:
 * - `server`: kill -9 of the server, PostgreSQL lives on.
 * - `postgres`: kill -9 of the postmaster; the server has to end with an error or to recover.
 * - `both`: one right after the other, in either order.
 * - `backend`: kill -9 of one session of PostgreSQL, on which it throws all sessions out; the server has to go on.
 * - `hang`: PostgreSQL stands still, with time for calls to be recorded on the disk meanwhile; then one of `HangEnd`. With `fullDisk` the disk takes
 *   nothing for a while.
 * - `stop`: SIGTERM, with calls that outlast the time they are given.
 * - `drain`: SIGTERM, with time for all of them.
 */
export type Target = 'server' | 'postgres' | 'both' | 'backend' | 'hang' | 'stop' | 'drain';

/** What is killed while PostgreSQL stands still, or, after it goes on again, at some moment of the replay. */
export type HangEnd = 'server' | 'postgres' | 'server in the replay' | 'both in the replay';

/** `traffic`: some time after calls began; `commit` and `stream`: right after a client had a whole answer, or a first byte; `idle`; `start`. */
export type Moment = 'traffic' | 'commit' | 'stream' | 'idle' | 'start';

export interface RoundPlan {
  readonly target: Target;
  readonly moment: Moment;
  readonly workers: number;
  readonly tellAfter: { readonly event: LoadEvent; readonly count: number };
  /** From the event to the kill. */
  readonly delayMs: number;
  /** The client itself kills, with the answer in its hands. */
  readonly byClient: boolean;
  readonly hang: { readonly end: HangEnd; readonly fullDisk: boolean; readonly answers: number; readonly replayMs: number } | undefined;
  /** Starts that are killed as well before one is let through, each after so many milliseconds, and whether PostgreSQL is too. */
  readonly killedStarts: readonly { readonly afterMs: number; readonly postgresToo: boolean }[];
}

/** Every ten rounds have each of these once, in an order by chance. */
const deck: readonly (readonly [Target, Moment])[] = [
  ['server', 'traffic'],
  ['server', 'commit'],
  ['hang', 'commit'],
  ['server', 'stream'],
  ['server', 'idle'],
  ['server', 'start'],
  ['postgres', 'commit'],
  ['both', 'commit'],
  ['backend', 'traffic'],
  ['stop', 'stream'],
];

/** For runs that stop and never kill. */
const drains: typeof deck = [
  ['drain', 'traffic'],
  ['drain', 'traffic'],
  ['drain', 'commit'],
  ['drain', 'stream'],
  ['drain', 'idle'],
];

/** Rounds without end, the same for the same chance. */
export function* planRounds(random: Random, onlyDrains = false, only?: Target): Generator<RoundPlan, never> {
  for (;;) {
    const cards = (onlyDrains ? drains : deck).filter(([target]) => only === undefined || target === only);
    while (cards.length > 0) {
      const [[target, moment]] = cards.splice(below(random, cards.length), 1) as [readonly [Target, Moment]];
      yield planRound(random, target, moment);
    }
  }
}

/** About the time of a start on a warm folder; kills of starts are spread over it and a little beyond. */
const startMs = 1_200;

export function planRound(random: Random, target: Target, moment: Moment): RoundPlan {
  const inOrder = target === 'stop' || target === 'drain';
  const startKills = target === 'drain' ? 0 : moment === 'start' ? 1 + below(random, 3) : random.next() < 0.3 ? 1 : 0;
  const killedStarts = Array.from({ length: startKills }, () => ({ afterMs: below(random, startMs), postgresToo: random.next() < 0.2 }));
  const byClient = !inOrder && target !== 'hang' && (moment === 'commit' || moment === 'stream') && random.next() < 0.6;
  const hang = target === 'hang' ? planHang(random) : undefined;
  return { target, moment, workers: pick(random, [1, 8, 24, 48]), ...triggerOf(random, moment), byClient, hang, killedStarts };
}

function planHang(random: Random): RoundPlan['hang'] {
  return {
    end: pick(random, ['server', 'postgres', 'server in the replay', 'both in the replay']),
    fullDisk: random.next() < 0.3,
    answers: 1 + below(random, 60),
    replayMs: below(random, 1_200),
  };
}

function triggerOf(random: Random, moment: Moment): Pick<RoundPlan, 'tellAfter' | 'delayMs'> {
  switch (moment) {
    case 'commit':
      return { tellAfter: { event: 'whole', count: 1 + below(random, 150) }, delayMs: below(random, 3) };
    case 'stream':
      return { tellAfter: { event: 'first byte', count: 1 + below(random, 40) }, delayMs: below(random, 40) };
    case 'idle':
      return { tellAfter: { event: 'whole', count: 1 + below(random, 20) }, delayMs: below(random, 200) };
    default:
      return { tellAfter: { event: 'sent', count: 1 + below(random, 50) }, delayMs: below(random, 600) };
  }
}

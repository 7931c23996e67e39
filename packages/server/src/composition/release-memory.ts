import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '@holdfast/kit/time';

export interface MemoryReleaseOptions {
  readonly clock: Clock;
  /** Share of the time since it was last asked that the event loop was busy, from 0 to 1. */
  readonly takeBusyShare?: () => number;
  readonly inFlight: () => number;
  /** Bytes that the young generation holds of the system's memory, whatever of them is in use. */
  readonly youngBytes?: () => number;
  readonly collect?: () => void;
}

const lookEveryMs = 5_000;
/** What upkeep takes is less. */
const idleShare = 0.02;
/** A tenth of it is what an idle server needs. */
const worthwhileBytes = 16 * 1024 * 1024;
/**
 * The same collection throws away the compiled code: the calls after it take twice the processor time until it has been compiled anew (measured: 204 µs
 * in place of 156 at 16 connections). So only who is likely to stay idle is given one.
 */
const idleMs = 600_000;

/**
 * Gives memory back when nobody calls. V8 lets its young generation grow with what a start or a burst of calls throws away, up to some 55 MiB, and
 * keeps it: nothing but a collection for want of memory makes it small again. One takes 50 to 100 ms. It is done once 5 s after the start, when nobody has
 * called yet, and then when nobody has called for ten minutes. Under load nothing is different. Returns the function that ends it.
 */
export function releaseMemoryWhenIdle(options: MemoryReleaseOptions): () => void {
  const { clock, takeBusyShare = busyShares(), inFlight, youngBytes = youngGenerationBytes, collect = collectForWantOfMemory } = options;
  let first = true;
  let idleSince: number | undefined = clock.monotonic();
  takeBusyShare();
  const look = (): void => {
    const idle = takeBusyShare() < idleShare && inFlight() === 0;
    const now = clock.monotonic();
    idleSince = idle ? (idleSince ?? now) : undefined;
    if (idleSince !== undefined && (first || now - idleSince >= idleMs) && youngBytes() >= worthwhileBytes) {
      collect();
      idleSince = clock.monotonic();
      // Its own work is none of the server's.
      takeBusyShare();
    }
    first = false;
    timer.refresh();
  };
  const timer = clock.setTimeout(look, lookEveryMs);
  return () => timer.cancel();
}

function busyShares(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const before = last;
    last = performance.eventLoopUtilization();
    return performance.eventLoopUtilization(last, before).utilization;
  };
}

export function youngGenerationBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}

let collector: ((options: object) => void) | undefined;

/** The collection that V8 does before it gives up for want of memory: the only one that makes the young generation small. */
export function collectForWantOfMemory(): void {
  if (collector === undefined) {
    // Node has no other way to it. The flag has an effect on contexts that are made from then on, and this is the only one.
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as (options: object) => void;
    setFlagsFromString('--no-expose-gc');
  }
  collector({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

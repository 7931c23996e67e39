import type { AlertSample } from '@holdfast/kit/alerts';
import type { Clock } from '@holdfast/kit/time';

/**
 * A reading that is dear: made anew at most every `everyMs`, and given out as it is meanwhile. One that takes long goes on when nobody waits for it any more, and is
 * there at the next look; one that fails is tried again at the next look.
 */
export function keptReading(
  clock: Clock,
  everyMs: number,
  read: () => Promise<readonly AlertSample[]>,
): () => Promise<readonly AlertSample[]> {
  let kept: { readonly samples: readonly AlertSample[]; readonly atMs: number } | undefined;
  let running: Promise<readonly AlertSample[]> | undefined;
  return async () => {
    if (kept && clock.monotonic() - kept.atMs < everyMs) return kept.samples;
    running ??= read()
      .then((samples) => {
        kept = { samples, atMs: clock.monotonic() };
        return samples;
      })
      .finally(() => (running = undefined));
    return running;
  };
}

import type { AlertChannel } from '@holdfast/kit/alerts';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import { createPolicy } from '@holdfast/kit/resilience';
import type { Clock, Random } from '@holdfast/kit/time';

export interface GuardOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/** Below the lease of a delivery, so that no other instance takes it up while this one is still trying. */
const deadlineMs = 45_000;

/**
 * A channel under the policies of the kit: three attempts of ten seconds each, and a breaker, so that a receiver that is down costs one attempt a minute. What
 * comes out is `alert_channel_failed` (again later) or `alert_channel_refused` (in vain).
 */
export function guardChannel(channel: AlertChannel, { clock, random }: GuardOptions): AlertChannel {
  const { execute } = createPolicy({
    name: `alerts/${channel.name}`,
    deadlineMs,
    timeoutMs: 10_000,
    retry: { attempts: 3, firstDelayMs: 500, maxDelayMs: 5_000 },
    breaker: { threshold: 5, recoveryMs: 60_000 },
    clock,
    random,
  });
  return {
    ...channel,
    async send(delivery, { signal }) {
      try {
        await execute((context) => channel.send(delivery, { signal: context.signal }), { signal });
      } catch (error) {
        if (signal.aborted || (isHoldfastError(error) && (error.code === 'alert_channel_failed' || error.code === 'alert_channel_refused')))
          throw error;
        throw new HoldfastError('alert_channel_failed', {
          detail: `${channel.name}: ${isHoldfastError(error) ? error.code : 'failed'}`,
          cause: error,
        });
      }
    },
  };
}

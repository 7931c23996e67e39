import { HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { describe, expect, test } from 'vitest';
import { scriptedModels } from './scripted-models.ts';

/** One nano-dollar for a token that goes in, ten for one that comes out. */
const pricing = {
  costNanoUsd: ({ usage }: { readonly usage: { readonly promptTokens: number; readonly completionTokens: number } }) =>
    usage.promptTokens + 10 * usage.completionTokens,
};

describe('a client that leaves while Holdfast waits to try again', () => {
  /** The first attempt fails at once, the second would be made a second later. */
  async function leave(fails: ErrorCode) {
    const { start, clock, asked } = scriptedModels({ retry: { attempts: 3, firstDelayMs: 1_000, jitter: 'none' } }, { a: { fails } });
    const { call, done } = start({ pricing });
    await clock.advanceAsync(500);
    expect(asked).toHaveLength(1);
    call.context.cancellation.cancel(new HoldfastError('client_closed'));
    expect(await done).toBe('client_closed');
    return call.record.settled;
  }

  test.each(['provider_overloaded', 'provider_rate_limited', 'provider_unreachable'] as const)(
    'pays nothing for a request that was answered %s',
    async (fails) => {
      expect(await leave(fails)).toMatchObject({ outcome: 'aborted', usage: undefined, costNanoUsd: 0 });
    },
  );

  test('pays for one on which the provider may have worked', async () => {
    expect(await leave('stream_cut')).toMatchObject({ outcome: 'aborted', usage: { source: 'estimated' }, costNanoUsd: 101 });
  });
});

import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError, type ErrorCode } from '../errors/index.ts';
import { Cancellation } from '../time/index.ts';
import { createCallContext } from './call-context.ts';
import { fallbackUsed, type FallbackUsed } from './events.ts';
import { fallback } from './fallback.ts';
import type { Operation } from './policy.ts';

function chainOf(codes: readonly (ErrorCode | 'ok')[]) {
  const asked: number[] = [];
  const operations = codes.map((code, at): Operation<string> => {
    return async () => {
      asked.push(at);
      if (code === 'ok') return `answer of ${at}`;
      throw new HoldfastError(code);
    };
  });
  const run = (context = createCallContext()) =>
    fallback(operations.slice(1))(operations[0]!)(context).catch((error: { code: string }) => error.code);
  return { asked, run };
}

describe('a chain', () => {
  test('asks the next when the one before failed, in order, and no more than it must', async () => {
    const { asked, run } = chainOf(['provider_failed', 'provider_overloaded', 'ok', 'ok']);
    expect(await run()).toBe('answer of 2');
    expect(asked).toEqual([0, 1, 2]);
  });

  test.each<ErrorCode>([
    'provider_failed',
    'provider_rate_limited',
    'first_token_timeout',
    'deadline_exceeded',
    'provider_auth_failed',
    'context_length_exceeded',
    'circuit_open',
    'concurrency_limited',
    'internal_error',
  ])('goes on after %s', async (code) => {
    const { run } = chainOf([code, 'ok']);
    expect(await run()).toBe('answer of 1');
  });

  test.each<ErrorCode>(['content_filtered', 'provider_rejected_request', 'invalid_request', 'client_closed'])(
    'ends at %s',
    async (code) => {
      const { asked, run } = chainOf([code, 'ok']);
      expect(await run()).toBe(code);
      expect(asked).toEqual([0]);
    },
  );

  test('tells the last failure, but not a refusal of ours where a target said something', async () => {
    expect(await chainOf(['provider_failed', 'provider_overloaded']).run()).toBe('provider_overloaded');
    expect(await chainOf(['provider_failed', 'circuit_open']).run()).toBe('provider_failed');
    expect(await chainOf(['circuit_open', 'provider_failed']).run()).toBe('provider_failed');
    expect(await chainOf(['circuit_open', 'concurrency_limited']).run()).toBe('circuit_open');
  });

  test('ends when the caller has gone', async () => {
    const cancellation = new Cancellation();
    const asked: number[] = [];
    const run = fallback([async () => asked.push(1)])(async () => {
      cancellation.cancel('gone');
      throw new HoldfastError('provider_failed');
    })(createCallContext({ cancellation }));
    await expect(run).rejects.toMatchObject({ code: 'provider_failed' });
    expect(asked).toEqual([]);
  });

  test('ends when a part of the answer is out', async () => {
    const run = fallback([async () => 'another'])(async (context) => {
      context.commit();
      throw new HoldfastError('stream_cut');
    })(createCallContext());
    await expect(run).rejects.toMatchObject({ code: 'stream_cut' });
  });

  test('takes what is thrown at once for a failure too', async () => {
    const run = fallback([async () => 'another'])((): Promise<string> => {
      throw new Error('at once');
    })(createCallContext());
    expect(await run).toBe('another');
  });

  test('announces whom it asks instead', async () => {
    const seen: FallbackUsed[] = [];
    onTestFinished(fallbackUsed.subscribe((message) => void seen.push(message)));
    const error = new HoldfastError('provider_failed');
    await fallback([async () => 'another'], { name: 'answers' })(async () => {
      throw error;
    })(createCallContext());
    expect(seen).toEqual([{ name: 'answers', alternative: 1, cause: 'transient', error }]);
  });
});

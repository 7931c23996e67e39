import { HoldfastError } from '@holdfast/kit/errors';
import { attemptFailed, callFinished, type CallFinished } from '@holdfast/kit/llm';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createProviderHealth, type ProviderHealthOptions } from './provider-health.ts';

type Breakers = ReturnType<ProviderHealthOptions['breakers']>;

function open(breakers: Breakers = []) {
  const clock = createFakeClock();
  const health = createProviderHealth({ providers: () => ['openai', 'claude'], breakers: () => breakers, clock });
  onTestFinished(() => health.close());
  const finished = (more: Partial<CallFinished>) =>
    callFinished.publish({ provider: 'openai', outcome: 'completed', latencyMs: 900, overheadMs: 1, ...more } as CallFinished);
  const openai = () => health.members()[0]!;
  return { clock, health, finished, openai };
}

test('nothing is known of a provider that nobody has called, and that is no fault of it', () => {
  expect(open().health.members()).toEqual([
    { name: 'provider/openai', status: 'healthy', message: 'has not been called', responseTimeMs: null },
    { name: 'provider/claude', status: 'healthy', message: 'has not been called', responseTimeMs: null },
  ]);
});

test('a call that ends well says how long the provider took, one that fails says so until the next answer, or for five minutes', () => {
  const { clock, finished, openai } = open();
  finished({ firstTokenMs: 301 });
  expect(openai()).toMatchObject({ status: 'healthy', message: 'answers', responseTimeMs: 300 });
  clock.advance(1);
  finished({ outcome: 'failed', errorCode: 'provider_overloaded' });
  expect(openai()).toMatchObject({
    status: 'degraded',
    message: 'its last call failed',
    detail: 'its last call failed (provider_overloaded)',
  });
  clock.advance(1);
  finished({});
  expect(openai()).toMatchObject({ status: 'healthy', responseTimeMs: 899 });
  clock.advance(1);
  attemptFailed.publish({ callId: 'c', requestId: 'r', target: 'openai/gpt/4o', error: new HoldfastError('provider_unreachable') });
  expect(openai().status).toBe('degraded');
  clock.advance(5 * 60_000);
  expect(openai().status).toBe('healthy');
});

test('what the client did, or what is our own fault, is no word about the provider', () => {
  const { finished, openai } = open();
  for (const errorCode of ['provider_rejected_request', 'content_filtered', 'internal_error', 'ledger_unavailable'] as const)
    finished({ outcome: 'failed', errorCode });
  finished({ outcome: 'aborted', errorCode: 'client_closed' });
  finished({ outcome: 'refused', provider: undefined });
  expect(openai()).toMatchObject({ status: 'healthy', message: 'has not been called' });
});

test('breakers that are not closed say which targets and why, names of models to operators only', () => {
  const lastFailure = { at: 0, code: 'provider_overloaded', detail: 'x' };
  const { health } = open([
    { name: 'openai/a', state: 'open', lastFailure },
    { name: 'openai/b/c', state: 'half_open', lastFailure: undefined },
    { name: 'openai/d', state: 'closed', lastFailure },
    { name: 'claude/e', state: 'open', lastFailure },
  ]);
  expect(health.members()).toMatchObject([
    {
      status: 'degraded',
      message: 'calls are kept away from 2 of its 3 targets',
      detail: 'calls are kept away from openai/a (provider_overloaded), openai/b/c',
    },
    { status: 'degraded', message: 'calls are kept away from all of its targets' },
  ]);
});

test('listens no longer once it is closed', () => {
  const { health, finished, openai } = open();
  health.close();
  finished({});
  expect(openai().message).toBe('has not been called');
});

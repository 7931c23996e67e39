import { HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import type { AttemptRequest, AttemptResult, AttemptSink, Provider } from '@holdfast/kit/llm';
import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { describe, expect, test } from 'vitest';
import { createClient, createModelCall } from '../../../test/support/model-call.ts';
import { createModelCatalog } from '../model-catalog.ts';
import { routeCall } from './route.ts';

type Behaviour = (request: AttemptRequest, sink: AttemptSink) => Promise<AttemptResult>;

const answer: AttemptResult = {
  head: { headers: {} },
  tail: Buffer.from('{}'),
  usage: undefined,
  finishReason: 'stop',
  servedModel: undefined,
  outputBytes: 0,
};
const succeed: Behaviour = async () => answer;
const fail =
  (code: ErrorCode): Behaviour =>
  async () => {
    throw new HoldfastError(code);
  };
const silent: Behaviour = (request) => new Promise((_, reject) => request.cancellation.onCancel(reject));

const limits = { connectMs: 1_000, firstTokenMs: 5_000, answerMs: 8_000, stallMs: 5_000, totalMs: 8_000 };

function setup(...behaviours: Behaviour[]) {
  const clock = createFakeClock();
  const asked: string[] = [];
  const providers = new Map(
    behaviours.map((behaviour, index): [string, Provider] => [
      `p${index}`,
      {
        name: `p${index}`,
        kind: 'openai',
        dialect: 'openai',
        supports: () => true,
        attempt(request, sink) {
          asked.push(`p${index}`);
          sink.connected();
          return behaviour(request, sink);
        },
        close: async () => {},
      },
    ]),
  );
  const catalog = createModelCatalog({
    providers,
    models: new Map([['m', { targets: behaviours.map((_, index) => ({ name: `p${index}/x` })), limits, retry: { attempts: 1 } }]]),
    clock,
    random: createSeededRandom(1),
  });
  const call = createModelCall({
    context: { startedMonotonic: clock.monotonic() },
    sink: createClient().sink,
    record: { route: catalog.find('m')! },
  });
  const { record } = call;
  let outcome: string | undefined;
  const done = routeCall(clock)(call).then(
    () => (outcome = 'completed'),
    (error: HoldfastError) => (outcome = error.code),
  );
  return { clock, asked, record, done, call, outcome: () => outcome };
}

describe('routeCall', () => {
  test.each([
    'provider_unreachable',
    'provider_failed',
    'provider_rate_limited',
    'provider_auth_failed',
    'stream_cut',
    'dialect_unsupported',
    'context_length_exceeded',
  ] as const)('after %s the next target is tried', async (code) => {
    const { asked, done, record } = setup(fail(code), succeed);
    expect(await done).toBe('completed');
    expect(asked).toEqual(['p0', 'p1']);
    expect(record.attempts.map(({ provider, outcome, error_code }) => [provider, outcome, error_code])).toEqual([
      ['p0', 'failed', code],
      ['p1', 'completed', null],
    ]);
  });

  test.each(['provider_rejected_request', 'content_filtered'] as const)('%s is about the request: nobody else is asked', async (code) => {
    const { asked, done } = setup(fail(code), succeed);
    expect(await done).toBe(code);
    expect(asked).toEqual(['p0']);
  });

  test('once the client may have a byte nobody else is asked', async () => {
    const { asked, done } = setup(async (_request, sink) => {
      sink.head({ headers: {} });
      throw new HoldfastError('stream_cut');
    }, succeed);
    expect(await done).toBe('stream_cut');
    expect(asked).toEqual(['p0']);
  });

  test('a client that has gone is not tried for again', async () => {
    const { asked, done, call } = setup(silent, succeed);
    call.context.cancellation.cancel(new HoldfastError('client_closed'));
    expect(await done).toBe('client_closed');
    expect(asked).toEqual(['p0']);
  });

  test('a silent target is left for the next one, and all together keep to the time of the call', async () => {
    const { clock, asked, outcome, done } = setup(silent, silent, silent, silent);
    await clock.advanceAsync(7_999);
    expect(asked).toEqual(['p0', 'p1']);
    expect(outcome()).toBeUndefined();
    await clock.advanceAsync(1);
    expect(await done).toBe('call_timeout');
    expect(asked).toEqual(['p0', 'p1']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('when all fail, the last reason is told', async () => {
    const { done } = setup(fail('provider_failed'), fail('provider_rate_limited'));
    expect(await done).toBe('provider_rate_limited');
  });

  test.each([
    ['stream_cut', 'model_unsuited', 'stream_cut', 'p0', true],
    ['context_length_exceeded', 'provider_failed', 'provider_failed', 'p1', false],
    ['provider_auth_failed', 'stream_cut', 'stream_cut', 'p1', true],
    ['first_token_timeout', 'provider_auth_failed', 'first_token_timeout', 'p0', true],
    ['provider_auth_failed', 'context_length_exceeded', 'provider_auth_failed', 'p0', false],
    ['stream_cut', 'content_filtered', 'content_filtered', 'p1', false],
  ] as const)(
    'of %s and %s the one that says most is told, and the record is of that target',
    async (first, second, told, provider, sent) => {
      const { done, record } = setup(fail(first), fail(second));
      expect(await done).toBe(told);
      // Whether it may have worked decides on what is paid for.
      expect([record.provider, record.targetModel, record.sent]).toEqual([provider, 'x', sent]);
    },
  );
});

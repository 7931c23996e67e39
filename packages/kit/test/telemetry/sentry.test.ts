import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorCategories, errorTable, HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { httpErrorRaised } from '@holdfast/kit/events';
import { createSentryReporter, type ErrorReporter, type SentryOptions } from '@holdfast/kit/telemetry/sentry';
import { createFakeClock, type FakeClock } from '@holdfast/kit/testing';
import { startSentryReceiver, type SentryReceiver } from '../../../../test/support/sentry-receiver.ts';

let receiver: SentryReceiver;
let clock: FakeClock;
let reporter: ErrorReporter | undefined;
beforeEach(async () => {
  receiver = await startSentryReceiver();
  clock = createFakeClock();
});
afterEach(async () => {
  await receiver.close();
  reporter = undefined;
});

function setUp(options: Partial<SentryOptions> = {}): ErrorReporter {
  reporter = createSentryReporter({ dsn: receiver.dsn, environment: 'test', release: 'holdfast@1.2.3', clock, ...options });
  return reporter;
}

function raise(code: ErrorCode, error: Error = new HoldfastError(code, { detail: 'about mary@example.com' })): void {
  const { category } = errorTable[code];
  httpErrorRaised.publish({
    requestId: 'r-1',
    method: 'POST',
    route: '/api/keys/:id',
    code,
    category,
    logLevel: errorCategories[category].logLevel,
    organizationId: 'org-1',
    keyId: 'key-1',
    userId: 'mary@example.com',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    error,
  });
}

describe('an error', () => {
  test('comes with what it is understood by', async () => {
    const sentry = setUp({ pseudonymOf: () => 'pseudonym-1' });
    const stop = sentry.listen();
    raise('internal_error', new HoldfastError('internal_error', { detail: 'no such row', cause: new TypeError('inner') }));
    await receiver.received(1);
    stop();
    const [event] = receiver.events;
    expect(event).toMatchObject({
      level: 'error',
      environment: 'test',
      release: 'holdfast@1.2.3',
      platform: 'node',
      tags: { code: 'internal_error', category: 'internal', method: 'POST', route: '/api/keys/:id', request_id: 'r-1' },
      user: { id: 'pseudonym-1' },
      contexts: { trace: { trace_id: '0af7651916cd43dd8448eb211c80319c' } },
    });
    expect(event.exception.values.map(({ type, value }: { type: string; value: string }) => [type, value])).toEqual([
      ['TypeError', 'inner'],
      ['HoldfastError', expect.stringContaining('no such row')],
    ]);
    expect(event.exception.values[1].stacktrace.frames.at(-1).filename).toContain('sentry.test.ts');
    await sentry.close();
  });

  test('says nothing of whom it happened to: masked everywhere, without request, address and host', async () => {
    const sentry = setUp();
    const secret = 'sk-proj-abcdefghijklmnopqrstuvwx';
    sentry.addCrumb({
      category: 'attempt',
      message: 'failed for mary@example.com',
      level: 'warning',
      data: { authorization: secret, note: `key ${secret}` },
    });
    const error = Object.assign(
      new Error(`mary@example.com with ${secret}`, { cause: new Error('10.1.2.3 refused 4111 1111 1111 1111') }),
      {
        request: { ip: '10.1.2.3' },
      },
    );
    sentry.report(error, { tags: { path: '/users/mary@example.com' }, userId: 'mary@example.com' });
    await receiver.received(1);
    const text = JSON.stringify(receiver.envelopes);
    for (const word of ['mary', secret, '10.1.2.3', '4111']) expect(text).not.toContain(word);
    expect(receiver.events[0].user).toBeUndefined();
    expect(receiver.events[0].server_name).toBeUndefined();
    expect(receiver.events[0].breadcrumbs).toMatchObject([{ category: 'attempt', message: 'failed for [email]', level: 'warning' }]);
    await sentry.close();
  });

  test('has the breadcrumbs of its request and of the process, and of no other request', async () => {
    const sentry = setUp();
    for (let at = 0; at < 150; at++) sentry.addCrumb({ category: 'breaker', message: `opened ${at}`, level: 'info' });
    sentry.addCrumb({ category: 'attempt', message: 'mine', level: 'info', requestId: 'r-1' });
    sentry.addCrumb({ category: 'attempt', message: 'not mine', level: 'info', requestId: 'r-2' });
    sentry.report(new Error('x'), { requestId: 'r-1' });
    await receiver.received(1);
    const messages: string[] = receiver.events[0].breadcrumbs.map(({ message }: { message: string }) => message);
    expect(messages).toHaveLength(99);
    expect(messages.at(-1)).toBe('mine');
    await sentry.close();
  });

  test.each<ErrorCode>(['key_unknown', 'rate_limited', 'model_not_found', 'provider_failed', 'database_unavailable', 'invalid_request'])(
    'of a client, a provider or a lost dependency is not reported: %s',
    async (code) => {
      const sentry = setUp();
      const stop = sentry.listen();
      raise(code);
      stop();
      await sentry.close();
      expect(receiver.envelopes).toEqual([]);
      expect(sentry.counts).toEqual({ reported: 0, dropped: 0 });
    },
  );

  test('of another kind is, where the operator wants it', async () => {
    const sentry = setUp({ categories: ['internal', 'database'] });
    const stop = sentry.listen();
    raise('database_unavailable');
    await receiver.received(1);
    stop();
    expect(receiver.events[0].tags.code).toBe('database_unavailable');
    await sentry.close();
  });

  test('that is no error, or cannot be looked at, harms nobody', async () => {
    const sentry = setUp();
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
        ownKeys() {
          throw new Error('no');
        },
      },
    );
    const speaking = Object.defineProperty(new Error('x'), 'stack', {
      get() {
        throw new Error('no');
      },
    });
    for (const thrown of [undefined, null, 'a text', 7, Symbol('s'), {}, hostile, speaking]) sentry.report(thrown);
    sentry.report(new Error('the last'));
    await sentry.close();
    const told = receiver.events.map(({ exception }): string => exception.values[0].value.split(': ').at(-1));
    expect(told.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      '7',
      'Symbol(s)',
      'a text',
      'null',
      'object',
      'object',
      'object',
      'the last',
      'undefined',
    ]);
  });

  test('is not looked at in the turn in which it is raised', async () => {
    const sentry = setUp();
    let looked = false;
    const error = new Error('x');
    Object.defineProperty(error, 'stack', { get: () => ((looked = true), 'Error: x') });
    sentry.report(error);
    expect(looked).toBe(false);
    await receiver.received(1);
    expect(looked).toBe(true);
    await sentry.close();
  });
});

test('a sample rate of 0 sends nothing', async () => {
  const sentry = setUp({ sampleRate: 0 });
  for (let at = 0; at < 20; at++) sentry.report(new Error(`e${at}`));
  await sentry.close();
  expect(receiver.envelopes).toEqual([]);
});

test('errors in masses are bounded by the minute, and those left out counted', async () => {
  const sentry = setUp({ maxPerMinute: 5 });
  for (let at = 0; at < 1_000; at++) sentry.report(new Error(`e${at}`));
  expect(sentry.counts).toEqual({ reported: 5, dropped: 995 });
  clock.advance(60_000);
  sentry.report(new Error('later'));
  expect(sentry.counts.reported).toBe(6);
  await sentry.close();
  expect(receiver.events).toHaveLength(6);
});

test('a Sentry that has enough is left alone for as long as it says', async () => {
  const sentry = setUp();
  receiver.answerWith({ status: 429, headers: { 'retry-after': '60' } });
  sentry.report(new Error('first'));
  await receiver.received(1);
  // The library learns of the answer a turn later.
  await new Promise((resolve) => setTimeout(resolve, 20));
  sentry.report(new Error('second'));
  await sentry.close();
  expect(receiver.envelopes).toHaveLength(1);
});

test('a Sentry that hangs holds up the stop no longer than its bound', async () => {
  const sentry = setUp({ timeoutMs: 3_600_000 });
  receiver.answerWith({ silent: true });
  for (let at = 0; at < 50; at++) sentry.report(new Error(`e${at}`));
  await receiver.received(1);
  let closed = false;
  // More than the test has, by the clock on the wall: the library waits by that one.
  const closing = sentry.close(600_000).then(() => (closed = true));
  await clock.advanceAsync(599_999);
  expect(closed).toBe(false);
  await clock.advanceAsync(1);
  await closing;
});

test('what was reported right before the stop is sent, and nothing after it', async () => {
  const sentry = setUp();
  sentry.report(new Error('last words'));
  await sentry.close();
  expect(receiver.events).toHaveLength(1);
  sentry.report(new Error('too late'));
  expect(sentry.counts.dropped).toBe(1);
});

test('a DSN that is none is a fault of the configuration, and is not repeated', () => {
  expect(() => setUp({ dsn: 'https://sentry.example.com/secret' })).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
  expect(() => setUp({ dsn: 'https://sentry.example.com/secret' })).not.toThrow('secret');
});

import { HoldfastError } from '../../../../src/errors/index.ts';
import { Cancellation } from '../../../../src/time/index.ts';
import { readShallowBody } from '../../../../src/llm/spec/index.ts';
import { describe, expect, test } from 'vitest';
import { RecordingSink, messages, start, setUp, failureOf } from './attempts.ts';

describe('time', () => {
  test('latency comes before the first token and delay between tokens, without drift', async () => {
    const { clock, provider } = setUp();
    const { sink, result } = start(provider, 'demo?tokens=4&latencyMs=200&delayMs=20', { stream: true });
    await clock.advanceAsync(199);
    expect(sink.calls).toEqual(['connected']);
    await clock.advanceAsync(1);
    expect(sink.bytes).toHaveLength(1);
    await clock.advanceAsync(39);
    expect(sink.bytes).toHaveLength(2);
    await clock.advanceAsync(21);
    await result;
    expect([sink.bytes.length, clock.pendingTimers]).toEqual([4, 0]);
  });

  test('a plain answer takes as long as its stream would', async () => {
    const { clock, provider } = setUp();
    const { result } = start(provider, 'demo?tokens=4&latencyMs=200&delayMs=20');
    let whole = false;
    void result.then(() => (whole = true));
    await clock.advanceAsync(259);
    expect(whole).toBe(false);
    await clock.advanceAsync(1);
    expect(whole).toBe(true);
  });

  test.each([
    ['while it waits for the first token', 'demo?latencyMs=1000', true],
    ['between tokens', 'demo?tokens=50&delayMs=1000', true],
    ['while it is silent', 'demo?silent=true', true],
    ['while it is stalled', 'demo?stallAfter=1', true],
    ['in the middle of a plain answer', 'demo?tokens=50&delayMs=1000', false],
  ])('a cancellation is honoured at once %s, with its reason and no timer left', async (_name, model, stream) => {
    const { clock, provider } = setUp();
    const { sink, cancellation, result } = start(provider, model, { stream });
    await clock.advanceAsync(10);
    const before = sink.calls.length;
    const reason = new HoldfastError('call_timeout', { detail: 'the limit passed' });
    cancellation.cancel(reason);
    expect(await failureOf({ result })).toMatchObject({ code: 'call_timeout', cause: reason, partial: { usage: undefined } });
    await clock.advanceAsync(100_000);
    expect([sink.calls.length, clock.pendingTimers]).toEqual([before, 0]);
  });

  test('a cancellation is honoured between two tokens that need no wait, and while the reader is behind', async () => {
    const { provider } = setUp();
    const burst = start(provider, 'demo?tokens=100', { stream: true });
    burst.sink.onData = () => burst.sink.bytes.length === 5 && burst.cancellation.cancel(new HoldfastError('client_closed'));
    expect(await failureOf(burst)).toMatchObject({ code: 'client_closed' });
    expect(burst.sink.bytes).toHaveLength(5);

    const behind = start(provider, 'demo?tokens=100', { stream: true });
    behind.sink.takes = 1;
    await new Promise((resolve) => setImmediate(resolve));
    behind.cancellation.cancel(new HoldfastError('client_closed'));
    expect(await failureOf(behind)).toMatchObject({ code: 'client_closed', partial: { outputBytes: expect.any(Number) as number } });
  });

  test('one that was cancelled before it began is never connected', async () => {
    const { provider } = setUp();
    const cancellation = new Cancellation();
    cancellation.cancel(new HoldfastError('client_closed'));
    const sink = new RecordingSink();
    const body = readShallowBody(Buffer.from(JSON.stringify({ messages })));
    const result = provider.attempt(
      { operation: 'chat', dialect: 'openai', model: 'demo', stream: true, body, headers: {}, cancellation },
      sink,
    );
    expect(await failureOf({ result })).toMatchObject({ code: 'client_closed' });
    expect(sink.calls).toEqual([]);
  });

  test('a long burst gives the event loop its turns', async () => {
    const { clock, provider } = setUp();
    const { sink, result } = start(provider, 'demo?tokens=600', { stream: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.bytes.length).toBeLessThan(600);
    await clock.advanceAsync(1);
    await result;
    expect(sink.bytes).toHaveLength(600);
  });
});

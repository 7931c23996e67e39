import { describe, expect, onTestFinished, test } from 'vitest';
import { HoldfastError } from '../../errors/index.ts';
import { createFakeClock } from '../../testing/index.ts';
import { Cancellation } from '../../time/index.ts';
import { createCircuitBreaker } from '../breaker/index.ts';
import { createCallContext } from '../call-context.ts';
import { deadline } from '../deadline.ts';
import { callRejected, type CallRejected } from '../events.ts';
import { compose } from '../policy.ts';
import { createBulkhead, type BulkheadOptions } from './index.ts';

function setUp(options: BulkheadOptions) {
  const clock = createFakeClock();
  const bulkhead = createBulkhead({ name: 'search', clock, ...options });
  const began: string[] = [];
  const ends = new Map<string, { resolve: (value: string) => void; reject: (error: unknown) => void }>();
  const call = (name: string, cancellation = new Cancellation()) =>
    bulkhead
      .policy(() => {
        began.push(name);
        return new Promise<string>((resolve, reject) => void ends.set(name, { resolve, reject }));
      })(createCallContext({ cancellation }))
      .catch((error: { code?: string }) => error.code ?? error);
  const turn = () => clock.advanceAsync(0);
  return { clock, bulkhead, began, call, end: (name: string) => ends.get(name)!, turn };
}

describe('a bulkhead', () => {
  test('runs so many at a time, queues so many, and refuses the rest', async () => {
    const { bulkhead, began, call, end, turn } = setUp({ maxConcurrent: 2, maxQueued: 2 });
    const runs = ['a', 'b', 'c', 'd', 'e'].map((name) => call(name));
    expect(await runs[4]).toBe('concurrency_limited');
    expect(began).toEqual(['a', 'b']);
    expect(bulkhead.status()).toEqual({ limit: 2, inUse: 2, queued: 2 });
    end('b').resolve('done');
    await turn();
    expect(began).toEqual(['a', 'b', 'c']);
    end('a').reject(new Error('failed'));
    await turn();
    expect(began).toEqual(['a', 'b', 'c', 'd']);
    end('c').resolve('done');
    end('d').resolve('done');
    await Promise.all(runs);
    expect(bulkhead.status()).toEqual({ limit: 2, inUse: 0, queued: 0 });
  });

  test('lets no second request of a hedge wait', async () => {
    const { bulkhead, call } = setUp({ maxConcurrent: 1, maxQueued: 9 });
    void call('a');
    const second = createCallContext().withCancellation(new Cancellation(), undefined, 1);
    await expect(bulkhead.policy(async () => 'never')(second)).rejects.toMatchObject({ code: 'concurrency_limited' });
    expect(bulkhead.status().queued).toBe(0);
  });

  test('gives a slot back that was taken by what throws at once', async () => {
    const bulkhead = createBulkhead({ maxConcurrent: 1 });
    const guarded = bulkhead.policy((): Promise<never> => {
      throw new Error('at once');
    });
    await expect(guarded(createCallContext())).rejects.toThrow('at once');
    expect(bulkhead.status().inUse).toBe(0);
  });

  test('lets whoever gives up leave from any place of the queue', async () => {
    const { clock, bulkhead, began, call, end, turn } = setUp({ maxConcurrent: 1, maxQueued: 9, maxQueueMs: 50_000 });
    const gone = { first: new Cancellation(), middle: new Cancellation(), last: new Cancellation() };
    const runs = [call('a'), call('b', gone.first), call('c'), call('d', gone.middle), call('e'), call('f', gone.last)];
    gone.middle.cancel('gone');
    gone.first.cancel('gone');
    gone.last.cancel('gone');
    expect(await Promise.all([runs[1], runs[3], runs[5]])).toEqual(['gone', 'gone', 'gone']);
    expect(bulkhead.status().queued).toBe(2);
    const late = call('g');
    for (const name of ['a', 'c', 'e', 'g']) {
      end(name).resolve('done');
      await turn();
    }
    await late;
    expect(began).toEqual(['a', 'c', 'e', 'g']);
    expect(bulkhead.status()).toMatchObject({ inUse: 0, queued: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  test('queues nobody who has gone, and none when there is no queue', async () => {
    const { call } = setUp({ maxConcurrent: 1, maxQueued: 0 });
    void call('a');
    expect(await call('b')).toBe('concurrency_limited');
    const cancellation = new Cancellation();
    cancellation.cancel('gone');
    expect(await call('c', cancellation)).toBe('gone');
  });

  test('gives the slot on when its new holder has gone in the same moment', async () => {
    const { bulkhead, began, call, end, turn } = setUp({ maxConcurrent: 1, maxQueued: 9 });
    const cancellation = new Cancellation();
    let finish!: () => void;
    const work = new Promise<void>((resolve) => (finish = resolve));
    const first = bulkhead.policy(() => work)(createCallContext());
    const runs = [first, call('b', cancellation), call('c')];
    // Right behind the release, before the one who was given the slot has begun.
    void work.then(() => cancellation.cancel('gone'));
    finish();
    expect(await runs[1]).toBe('gone');
    await turn();
    expect(began).toEqual(['c']);
    end('c').resolve('done');
    await runs[2];
    expect(bulkhead.status().inUse).toBe(0);
  });

  test('refuses who waited too long', async () => {
    const { clock, bulkhead, call, end } = setUp({ maxConcurrent: 1, maxQueued: 9, maxQueueMs: 100 });
    const first = call('a');
    const second = call('b');
    await clock.advanceAsync(100);
    expect(await second).toBe('concurrency_limited');
    end('a').resolve('done');
    await first;
    expect(bulkhead.status()).toMatchObject({ inUse: 0, queued: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  test('announces whom it turned away and why, and says when to come again', async () => {
    const seen: CallRejected[] = [];
    onTestFinished(callRejected.subscribe((message) => void seen.push(message)));
    const { clock, bulkhead, call } = setUp({ maxConcurrent: 1, maxQueued: 1, maxQueueMs: 100 });
    void call('a');
    const second = call('b');
    const refused = await bulkhead
      .policy(async () => 'never')(createCallContext())
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HoldfastError);
    expect(refused).toMatchObject({ code: 'concurrency_limited', retryAfterSeconds: 1 });
    await clock.advanceAsync(100);
    await second;
    expect(seen.map(({ reason }) => reason)).toEqual(['queue_full', 'queue_timeout']);
    expect(seen[0]).toEqual({ name: 'search', policy: 'bulkhead', reason: 'queue_full' });
  });
});

test('a deadline that passes in the queue is no failure of the target behind it', async () => {
  const clock = createFakeClock();
  const breaker = createCircuitBreaker({ clock, threshold: 1 });
  const guarded = compose(deadline({ deadlineMs: 100, clock }), breaker.policy, createBulkhead({ maxConcurrent: 1, clock }).policy);
  const holder = compose(breaker.policy)(() => new Promise<never>(() => {}));
  void holder(createCallContext());
  const first = guarded(() => new Promise<never>(() => {}));
  const running = first(createCallContext({ deadlineAt: 1_000 })).catch((error: { code: string }) => error.code);
  const queued = first(createCallContext()).catch((error: { code: string }) => error.code);
  expect(breaker.state).toBe('closed');
  await clock.advanceAsync(100);
  expect(await running).toBe('deadline_exceeded');
  expect(await queued).toBe('deadline_exceeded');
});

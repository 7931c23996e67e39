import { expect, test } from 'vitest';
import { createFakeClock } from '../../testing/index.ts';
import { Cancellation } from '../../time/index.ts';
import { createCallContext } from '../call-context.ts';
import { Slots } from './slots.ts';

function setUp(maxQueueMs = Number.POSITIVE_INFINITY) {
  const clock = createFakeClock();
  clock.advance(10_000);
  return { clock, slots: new Slots(1, { name: 'search', policy: 'bulkhead', maxQueued: 10, maxQueueMs, clock }) };
}
const never = () => new Promise<never>(() => {});
const codeOf = (run: Promise<unknown>) => run.catch((error: { code?: string }) => error.code ?? error);

test('a higher limit lets in at once who waits, as far as it goes', async () => {
  const { clock, slots } = setUp();
  for (let call = 0; call < 4; call++) void slots.run(never, createCallContext());
  expect([slots.inUse, slots.queued]).toEqual([1, 3]);
  slots.setLimit(3);
  await clock.advanceAsync(0);
  expect([slots.inUse, slots.queued]).toEqual([3, 1]);
  slots.setLimit(1);
  expect([slots.inUse, slots.queued]).toEqual([3, 1]);
});

test('who waits without a limit needs no timer, and who has a deadline waits until then', async () => {
  const { clock, slots } = setUp();
  void slots.run(never, createCallContext());
  void slots.run(never, createCallContext());
  expect(clock.pendingTimers).toBe(0);
  const run = codeOf(slots.run(never, createCallContext({ deadlineAt: clock.monotonic() + 500 })));
  expect(clock.nextTimerInMs).toBe(500);
  await clock.advanceAsync(500);
  expect([await run, slots.queued, clock.pendingTimers]).toEqual(['deadline_exceeded', 1, 0]);
});

test('who waits is marked as waiting, until it has a slot', async () => {
  const { slots } = setUp(100);
  let free!: () => void;
  const first = slots.run(() => new Promise<void>((resolve) => (free = resolve)), createCallContext());
  const context = createCallContext();
  const seen: boolean[] = [];
  const second = slots.run(async ({ queued }) => void seen.push(queued), context);
  expect(context.queued).toBe(true);
  free();
  await Promise.all([first, second]);
  expect([seen, context.queued]).toEqual([[false], false]);
});

test('who gives up while it waits leaves the queue to the others', async () => {
  const { clock, slots } = setUp(1_000);
  void slots.run(never, createCallContext());
  const cancellation = new Cancellation();
  const gone = codeOf(slots.run(never, createCallContext({ cancellation })));
  const stays = codeOf(slots.run(never, createCallContext()));
  cancellation.cancel('gone');
  expect([await gone, slots.queued, clock.pendingTimers]).toEqual(['gone', 1, 1]);
  await clock.advanceAsync(1_000);
  expect([await stays, slots.queued, clock.pendingTimers]).toEqual(['concurrency_limited', 0, 0]);
});

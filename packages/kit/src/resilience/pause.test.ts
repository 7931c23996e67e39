import { expect, test } from 'vitest';
import { createFakeClock } from '../testing/index.ts';
import { Cancellation } from '../time/index.ts';
import { createCallContext } from './call-context.ts';
import { pause } from './pause.ts';
import { timeout } from './timeout.ts';
import { createExecute } from './execute.ts';

/** Knows how many listen to it. */
class Counted extends Cancellation {
  listeners = 0;
  override onCancel(listener: (reason: unknown) => void): () => void {
    this.listeners += 1;
    const end = super.onCancel(listener);
    return () => {
      this.listeners -= 1;
      end();
    };
  }
}

test.each([0, -5])('a wait of %d ms is none: it sets no timer', async (delayMs) => {
  const clock = createFakeClock();
  await pause(clock, delayMs, new Cancellation());
  expect(clock.pendingTimers).toBe(0);
});

test('a wait for a caller who has gone is none', async () => {
  const clock = createFakeClock();
  const cancellation = new Cancellation();
  cancellation.cancel('gone');
  await expect(pause(clock, 50, cancellation)).rejects.toBe('gone');
  await expect(pause(clock, 0, cancellation)).rejects.toBe('gone');
  expect(clock.pendingTimers).toBe(0);
});

test('nothing is left with the caller when a wait, an attempt or a call is over', async () => {
  const clock = createFakeClock();
  const cancellation = new Counted();
  const wait = pause(clock, 50, cancellation);
  expect(cancellation.listeners).toBe(1);
  await clock.advanceAsync(50);
  await wait;
  expect(cancellation.listeners).toBe(0);

  const guarded = timeout({ timeoutMs: 100, clock });
  for (const result of [() => Promise.resolve('ok'), () => Promise.reject(new Error('own'))]) {
    await guarded(result)(createCallContext({ cancellation })).catch(() => {});
    expect(cancellation.listeners).toBe(0);
    const run = createExecute((next) => next)(result, { cancellation });
    expect(cancellation.listeners).toBe(1);
    await run.catch(() => {});
    expect(cancellation.listeners).toBe(0);
  }
});

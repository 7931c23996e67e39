import { expect, test } from 'vitest';
import { Cancellation } from '../time/index.ts';
import { createCallContext } from './call-context.ts';

test('a context begins as the first attempt of a call without a deadline that nobody cancels', () => {
  const context = createCallContext();
  expect(context).toMatchObject({ attempt: 1, branch: 0, deadlineAt: Number.POSITIVE_INFINITY, committed: false, queued: false });
  expect(context.cancellation.cancelled).toBe(false);
  expect(context.signal.aborted).toBe(false);
  expect(() => context.work()).toThrow('without work');
  context.cancellation.cancel('nobody does');
  expect(context.cancellation.cancelled).toBe(false);
  // Listeners that somebody leaves on it are not left on that of another call.
  expect(createCallContext().signal).not.toBe(context.signal);
});

test('what is derived keeps the rest', () => {
  const cancellation = new Cancellation();
  const context = createCallContext({ deadlineAt: 500 }).withAttempt(3).withCancellation(cancellation, 400, 1);
  expect(context).toMatchObject({ attempt: 3, branch: 1, deadlineAt: 400, cancellation });
  expect(context.withAttempt(4)).toMatchObject({ attempt: 4, branch: 1, deadlineAt: 400, cancellation });
  expect(context.withCancellation(cancellation)).toMatchObject({ attempt: 3, branch: 1, deadlineAt: 400 });
});

test('the first branch that commits has the answer, and all contexts of the call know it', () => {
  const call = createCallContext();
  const racer = call.withCancellation(new Cancellation(), undefined, 1);
  const told: number[] = [];
  call.onCommit((branch) => told.push(branch));
  expect(racer.commit()).toBe(true);
  expect(racer.commit()).toBe(true);
  expect(call.commit()).toBe(false);
  expect([call.committed, racer.committed]).toEqual([true, true]);
  expect(told).toEqual([1]);
});

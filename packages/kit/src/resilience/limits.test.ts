import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFakeClock } from '../testing/index.ts';
import { Cancellation } from '../time/index.ts';
import { createCallContext } from './call-context.ts';
import { deadline } from './deadline.ts';
import { callTimedOut, type CallTimedOut } from './events.ts';
import { createExecute } from './execute.ts';
import { compose, type Operation } from './policy.ts';
import { timeout } from './timeout.ts';

const never = () => new Promise<never>(() => {});
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: { code?: string }) => error.code ?? error,
  );

describe('a timeout', () => {
  test('cancels the attempt and rejects at once, also when nobody listens', async () => {
    const clock = createFakeClock();
    let signal: AbortSignal | undefined;
    const work: Operation<never> = (context) => {
      signal = context.signal;
      return never();
    };
    const run = codeOf(timeout({ timeoutMs: 100, clock })(work)(createCallContext()));
    await clock.advanceAsync(99);
    expect(signal!.aborted).toBe(false);
    await clock.advanceAsync(1);
    expect(await run).toBe('operation_timeout');
    expect(signal!.aborted).toBe(true);
    expect(signal!.reason).toMatchObject({ code: 'operation_timeout' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('passes on what comes in time, and leaves no timer', async () => {
    const clock = createFakeClock();
    const guarded = timeout({ timeoutMs: 100, clock });
    expect(await guarded(async () => 'ok')(createCallContext())).toBe('ok');
    await expect(guarded(async () => Promise.reject(new Error('own')))(createCallContext())).rejects.toThrow('own');
    await expect(
      guarded((): Promise<never> => {
        throw new Error('at once');
      })(createCallContext()),
    ).rejects.toThrow('at once');
    expect(clock.pendingTimers).toBe(0);
  });

  test('hands the cancellation of the caller down, and ends with its reason', async () => {
    const clock = createFakeClock();
    const cancellation = new Cancellation();
    let inner: unknown;
    const run = codeOf(
      timeout({ timeoutMs: 100, clock })((context) => {
        context.cancellation.onCancel((reason) => (inner = reason));
        return never();
      })(createCallContext({ cancellation })),
    );
    cancellation.cancel('gone');
    expect(await run).toBe('gone');
    expect(inner).toBe('gone');
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not begin for a caller who has gone', async () => {
    const cancellation = new Cancellation();
    cancellation.cancel('gone');
    let calls = 0;
    const run = timeout({ timeoutMs: 100 })(async () => calls++)(createCallContext({ cancellation }));
    expect(await codeOf(run)).toBe('gone');
    expect(calls).toBe(0);
  });

  test('ignores what comes too late, a failure too', async () => {
    const clock = createFakeClock();
    const late: ((error: Error) => void)[] = [];
    const run = codeOf(timeout({ timeoutMs: 100, clock })(() => new Promise((_resolve, reject) => late.push(reject)))(createCallContext()));
    await clock.advanceAsync(100);
    late[0]!(new Error('late'));
    expect(await run).toBe('operation_timeout');
  });
});

describe('a timeout within a deadline', () => {
  test('ends the attempt with the call when that comes first', async () => {
    const clock = createFakeClock();
    const guarded = timeout({ timeoutMs: 100, clock });
    const runs = [150, 100, 99].map((deadlineAt) => codeOf(guarded(never)(createCallContext({ deadlineAt }))));
    await clock.advanceAsync(99);
    expect(await runs[2]).toBe('deadline_exceeded');
    await clock.advanceAsync(1);
    expect(await Promise.all(runs)).toEqual(['operation_timeout', 'operation_timeout', 'deadline_exceeded']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('begins nothing when it has passed', async () => {
    const clock = createFakeClock();
    clock.advance(50);
    let calls = 0;
    expect(await codeOf(timeout({ timeoutMs: 100, clock })(async () => calls++)(createCallContext({ deadlineAt: 50 })))).toBe(
      'deadline_exceeded',
    );
    expect(calls).toBe(0);
  });
});

describe('a deadline', () => {
  test('is handed down, the earlier of its own and the caller’s', async () => {
    const clock = createFakeClock();
    const seen: number[] = [];
    const guarded = deadline({ deadlineMs: 1_000, clock })(async (context) => void seen.push(context.deadlineAt));
    clock.advance(500);
    await guarded(createCallContext());
    await guarded(createCallContext({ deadlineAt: 700 }));
    await guarded(createCallContext({ deadlineAt: 9_000 }));
    expect(seen).toEqual([1_500, 700, 1_500]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('ends everything when it passes', async () => {
    const clock = createFakeClock();
    let reason: unknown;
    const run = codeOf(
      deadline({ deadlineMs: 1_000, clock })((context) => {
        context.cancellation.onCancel((why) => (reason = why));
        return never();
      })(createCallContext()),
    );
    await clock.advanceAsync(1_000);
    expect(await run).toBe('deadline_exceeded');
    expect(reason).toMatchObject({ code: 'deadline_exceeded' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('that has passed begins nothing', async () => {
    const clock = createFakeClock();
    clock.advance(50);
    let calls = 0;
    const run = deadline({ clock })(async () => calls++)(createCallContext({ deadlineAt: 50 }));
    expect(await codeOf(run)).toBe('deadline_exceeded');
    expect(calls).toBe(0);
  });

  test('of nobody sets no timer', async () => {
    const clock = createFakeClock();
    const run = deadline({ clock })(async () => clock.pendingTimers)(createCallContext());
    expect(await run).toBe(0);
  });
});

test('both announce what ran out', async () => {
  const clock = createFakeClock();
  const seen: CallTimedOut[] = [];
  onTestFinished(callTimedOut.subscribe((message) => void seen.push(message)));
  const guarded = compose(deadline({ name: 'outer', deadlineMs: 150, clock }), timeout({ name: 'inner', timeoutMs: 100, clock }));
  const runs = [codeOf(guarded(never)(createCallContext())), codeOf(guarded(never)(createCallContext({ deadlineAt: 40 })))];
  await clock.advanceAsync(200);
  expect(await Promise.all(runs)).toEqual(['operation_timeout', 'deadline_exceeded']);
  expect(seen).toEqual([
    { name: 'outer', policy: 'deadline', limitMs: 40 },
    { name: 'inner', policy: 'timeout', limitMs: 100 },
  ]);
});

describe('execute', () => {
  const execute = createExecute((next) => next);

  test('rejects with the reason of the signal at once, also when the work does not listen', async () => {
    const controller = new AbortController();
    const run = codeOf(execute(never, { signal: controller.signal }));
    controller.abort('gone');
    expect(await run).toBe('gone');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('hands the work a signal that follows the caller’s', async () => {
    const controller = new AbortController();
    let signal: AbortSignal | undefined;
    const run = codeOf(
      execute(
        (context) => {
          signal = context.signal;
          return never();
        },
        { signal: controller.signal },
      ),
    );
    controller.abort('gone');
    await run;
    expect(signal!.aborted).toBe(true);
    expect(signal!.reason).toBe('gone');
  });

  test('does not begin for a caller who has gone', async () => {
    let calls = 0;
    const cancellation = new Cancellation();
    cancellation.cancel('gone');
    expect(await codeOf(execute(() => calls++, { signal: AbortSignal.abort('gone') }))).toBe('gone');
    expect(await codeOf(execute(() => calls++, { cancellation }))).toBe('gone');
    expect(calls).toBe(0);
  });

  test('leaves no listener on the signal, whatever the outcome', async () => {
    const { signal } = new AbortController();
    expect(await execute(() => 'at once', { signal })).toBe('at once');
    expect(await execute(async () => 'later', { signal })).toBe('later');
    await expect(execute(() => Promise.reject(new Error('own')), { signal })).rejects.toThrow('own');
    await expect(
      execute(
        () => {
          throw new Error('at once');
        },
        { signal },
      ),
    ).rejects.toThrow('at once');
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('takes the deadline of the caller', async () => {
    const clock = createFakeClock();
    const run = codeOf(createExecute(deadline({ clock }))(never, { deadlineAt: 30 }));
    await clock.advanceAsync(30);
    expect(await run).toBe('deadline_exceeded');
  });
});

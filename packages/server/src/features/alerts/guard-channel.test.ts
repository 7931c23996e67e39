import { testDelivery, type AlertChannel } from '@holdfast/kit/alerts';
import { HoldfastError } from '@holdfast/kit/errors';
import { createFakeClock, createSeededRandom, type FakeClock } from '@holdfast/kit/testing';
import { beforeEach, expect, test } from 'vitest';
import { guardChannel } from './guard-channel.ts';
import { keptReading } from './kept-reading.ts';

const delivery = testDelivery({ id: 'id', channel: 'slack', deployment: 'test', nowMs: 0 });

let clock: FakeClock;
let calls: number;
let outcomes: (() => Promise<void>)[];
let channel: AlertChannel;
beforeEach(() => {
  clock = createFakeClock();
  calls = 0;
  outcomes = [];
  const send: AlertChannel['send'] = () => (outcomes[calls++] ?? outcomes.at(-1)!)();
  channel = guardChannel(
    { name: 'slack', kind: 'slack', minSeverity: 'info', tells: ['firing'], send },
    { clock, random: createSeededRandom(1) },
  );
});

const fails = (code: 'alert_channel_failed' | 'alert_channel_refused') => () => Promise.reject(new HoldfastError(code));
const hangs = () => new Promise<void>(() => {});

async function send(signal = new AbortController().signal): Promise<unknown> {
  const sent = channel.send(delivery, { signal }).then(
    () => 'sent',
    (error: unknown) => (error as { code?: string }).code ?? error,
  );
  await clock.advanceAsync(50_000);
  return sent;
}

test('what fails is tried three times, and what is refused once', async () => {
  outcomes = [fails('alert_channel_failed'), fails('alert_channel_failed'), () => Promise.resolve()];
  expect(await send()).toBe('sent');
  expect(calls).toBe(3);
  calls = 0;
  outcomes = [fails('alert_channel_refused')];
  expect(await send()).toBe('alert_channel_refused');
  expect(calls).toBe(1);
});

test('a receiver that hangs is left in time, with a code of the table', async () => {
  outcomes = [hangs];
  expect(await send()).toBe('alert_channel_failed');
});

test('a receiver that is down is asked once a minute, by the breaker', async () => {
  outcomes = [fails('alert_channel_failed')];
  for (let delivery = 0; delivery < 3; delivery++) expect(await send()).toBe('alert_channel_failed');
  const asked = calls;
  expect(asked).toBeLessThanOrEqual(7);
  outcomes = [() => Promise.resolve()];
  await clock.advanceAsync(60_000);
  expect(await send()).toBe('sent');
});

test('a stop breaks it off', async () => {
  outcomes = [hangs];
  const controller = new AbortController();
  const sent = send(controller.signal);
  await clock.advanceAsync(0);
  controller.abort(new Error('stop'));
  expect(await sent).toEqual(new Error('stop'));
});

test('a dear reading is made anew when its time is over, by one for all, and kept when it fails no longer', async () => {
  let reads = 0;
  let fail = false;
  const reading = keptReading(clock, 60_000, async () => {
    reads++;
    if (fail) throw new Error('away');
    return [{ labels: {}, value: reads }];
  });
  expect(await Promise.all([reading(), reading()])).toEqual([[{ labels: {}, value: 1 }], [{ labels: {}, value: 1 }]]);
  await reading();
  expect(reads).toBe(1);
  clock.advance(60_000);
  fail = true;
  await expect(reading()).rejects.toThrow('away');
  await expect(reading()).rejects.toThrow('away');
  fail = false;
  expect(await reading()).toEqual([{ labels: {}, value: 4 }]);
});

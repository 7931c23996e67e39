import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { expect, onTestFinished, test } from 'vitest';
import { createEventLoopMonitor } from '../../time/index.ts';
import { processSignals, type ProcessSignalOptions } from './process-signals.ts';

test('each signal says a number of this process that is below its limit', () => {
  const { signals, close } = processSignals();
  onTestFinished(close);
  expect(signals.map(({ name }) => name)).toEqual(['event_loop_delay', 'heap', 'memory']);
  expect(signals[0]!.read()).toBeGreaterThanOrEqual(0);
  for (const { name, read, limit } of signals.slice(1)) {
    expect(read(), name).toBeGreaterThan(1_000_000);
    expect(read(), name).toBeLessThan(limit);
  }
});

test('memory is measured against the limit that was given', () => {
  const { signals, close } = processSignals({ memoryLimitBytes: 1_000, memoryPercent: 50, eventLoopDelayMs: 0 });
  onTestFinished(close);
  expect(signals.map(({ name }) => name)).toEqual(['heap', 'memory']);
  expect(signals[1]!.limit).toBe(500);
});

test('what is switched off is not looked at', () => {
  expect(processSignals({ eventLoopDelayMs: 0, memoryPercent: 0 }).signals).toEqual([]);
});

test('what would end the process is urgent, and one long turn or garbage that is not collected yet is nothing', () => {
  const { signals, close } = processSignals();
  onTestFinished(close);
  const memory = process.constrainedMemory() > 0 ? Math.min(process.constrainedMemory(), totalmem()) : totalmem();
  expect(signals.map(({ limit, sightings, urgent }) => [limit, sightings, urgent])).toEqual([
    [500, 2, undefined],
    [getHeapStatistics().heap_size_limit * 0.9, 2, true],
    [memory * 0.9, undefined, true],
  ]);
});

test.each([
  ['eventLoopDelayMs must be a number ≥ 0, not -1', { eventLoopDelayMs: -1 }],
  ['memoryPercent must be a number from 0 to 100, not 101', { memoryPercent: 101, eventLoopDelayMs: 0 }],
  ['memoryLimitBytes must be a number ≥ 1, not 0', { memoryLimitBytes: 0, eventLoopDelayMs: 0 }],
  [
    "an option of processSignals must be one of eventLoopDelayMs, memoryPercent, memoryLimitBytes, not 'heap'",
    { heap: 1 } as ProcessSignalOptions,
  ],
])('are refused: %s', (message, options) => {
  expect(() => processSignals(options)).toThrow(expect.objectContaining({ code: 'configuration_invalid', message }));
});

test('a loop whose every turn is longer than the time between two looks is as late as its turns', async () => {
  const monitor = createEventLoopMonitor();
  onTestFinished(() => monitor.close());
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (let turn = 0; turn < 3; turn++) {
    monitor.takeDelayMs();
    const until = performance.now() + 100;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(monitor.takeDelayMs()).toBeGreaterThan(60);
  }
});

test('a loop that stands still and then turns quickly for as long is late by the turn that most who come will find', async () => {
  const monitor = createEventLoopMonitor(1);
  onTestFinished(() => monitor.close());
  await new Promise((resolve) => setTimeout(resolve, 5));
  monitor.takeDelayMs();
  const until = performance.now() + 100;
  while (performance.now() < until);
  for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  // Some forty quick turns and one of 100 ms: their plain mean is 4.
  expect(monitor.takeDelayMs()).toBeGreaterThan(25);
});

test('a loop that was held up says so once', async () => {
  const monitor = createEventLoopMonitor(1);
  onTestFinished(() => monitor.close());
  await new Promise((resolve) => setTimeout(resolve, 5));
  monitor.takeDelayMs();
  const until = performance.now() + 60;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(monitor.takeDelayMs()).toBeGreaterThan(0);
  expect(monitor.takeDelayMs()).toBe(0);
});

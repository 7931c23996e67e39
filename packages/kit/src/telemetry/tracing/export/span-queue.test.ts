import { expect, test } from 'vitest';
import { createFakeClock } from '../../../testing/index.ts';
import type { Cancellation } from '../../../time/index.ts';
import type { Span } from '../span.ts';
import type { ExportResult } from './span-exporter.ts';
import { SpanQueue } from './span-queue.ts';

function setUp(options: { maxQueueSize?: number; maxBatchSize?: number; hangs?: boolean } = {}) {
  const clock = createFakeClock();
  const batches: number[] = [];
  const waiting: (() => void)[] = [];
  let closed = 0;
  const exporter = {
    export(spans: readonly Span[], cancellation: Cancellation): Promise<ExportResult> {
      batches.push(spans.length);
      return new Promise((resolve) => {
        waiting.push(() => resolve({ exported: spans.length, rejected: 0, failed: 0 }));
        if (!options.hangs) cancellation.onCancel(() => resolve({ exported: 0, rejected: 0, failed: spans.length }));
      });
    },
    close: async () => void closed++,
  };
  const queue = new SpanQueue({ exporter, clock, maxQueueSize: 8, maxBatchSize: 4, scheduleDelayMs: 1_000, ...options });
  const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
  return {
    clock,
    queue,
    batches,
    turn,
    closed: () => closed,
    /** Lets the oldest export end. */
    async through() {
      waiting.shift()!();
      await turn();
    },
  };
}

const spans = (count: number): Span[] => Array.from({ length: count }, (_, at) => ({ name: `s${at}` }) as Span);

test('spans wait for company, and go when their time is over or a batch is full', async () => {
  const { clock, queue, batches, through } = setUp();
  queue.offer(spans(2));
  expect(batches).toEqual([]);
  clock.advance(1_000);
  expect(batches).toEqual([2]);
  await through();
  queue.offer(spans(5));
  expect(batches).toEqual([2, 4]);
  await through();
  expect(queue.size).toBe(1);
  clock.advance(1_000);
  expect(batches).toEqual([2, 4, 1]);
});

test('while a batch is on its way nothing else is, and what comes meanwhile goes after it', async () => {
  const { queue, batches, through } = setUp();
  queue.offer(spans(4));
  queue.offer(spans(4));
  expect(batches).toEqual([4]);
  await through();
  expect(batches).toEqual([4, 4]);
});

test('what finds no room is dropped whole and counted, and 100,000 spans leave the queue as long as it was', () => {
  const { queue, batches } = setUp({ maxQueueSize: 100, maxBatchSize: 10 });
  for (let at = 0; at < 25_000; at++) queue.offer(spans(4));
  expect(batches).toEqual([10]);
  expect(queue.size).toBe(100);
  expect(queue.counts.dropped).toBe(100_000 - 100);
  queue.offer(spans(1));
  expect(queue.counts.dropped).toBe(100_001 - 100);
});

test('at the end everything that waits is sent', async () => {
  const { queue, batches, through, closed } = setUp();
  queue.offer(spans(4));
  queue.offer(spans(2));
  const closing = queue.close(5_000);
  await through();
  await through();
  await closing;
  expect(batches).toEqual([4, 2]);
  expect(queue.counts).toEqual({ exported: 6, dropped: 0, rejected: 0, failed: 0, left_out: 0 });
  expect(closed()).toBe(1);
});

test.each([false, true])('at the end a receiver that hangs (exporter too: %s) is given up after the bound', async (hangs) => {
  const { clock, queue, turn, closed } = setUp({ hangs });
  queue.offer(spans(4));
  queue.offer(spans(3));
  const closing = queue.close(5_000);
  await turn();
  clock.advance(4_999);
  await turn();
  expect(closed()).toBe(0);
  clock.advance(1);
  await closing;
  expect(closed()).toBe(1);
  expect(queue.counts).toEqual({ exported: 0, dropped: 0, rejected: 0, failed: 7, left_out: 0 });
  expect(queue.size).toBe(0);
});

test('what is offered after the end is dropped', async () => {
  const { queue } = setUp();
  await queue.close(5_000);
  queue.offer(spans(1));
  expect(queue.counts.dropped).toBe(1);
});

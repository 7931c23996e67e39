import type { RestartableSink } from '@holdfast/kit/llm';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { HoldBackSink } from './hold-back-sink.ts';

function setUp() {
  const clock = createFakeClock();
  const seen: string[] = [];
  let flowing = true;
  const inner: RestartableSink = {
    get begun() {
      return seen.includes('head');
    },
    connected: () => void seen.push('connected'),
    pulse() {},
    head: () => void seen.push('head'),
    data(bytes) {
      seen.push(bytes.length > 20 ? `${bytes.length} bytes` : bytes.toString());
      return flowing;
    },
    drained: (callback) => callback(),
    abandon: () => void seen.push('abandoned'),
  };
  const sink = new HoldBackSink(inner, 500, clock);
  return { clock, seen, sink, stop: () => (flowing = false) };
}

const head = { headers: {} };

test('keeps the beginning of a stream back for its time, and lets through what follows', () => {
  const { clock, seen, sink } = setUp();
  sink.head(head);
  expect(sink.data(Buffer.from('a'))).toBe(true);
  clock.advance(499);
  sink.data(Buffer.from('b'));
  expect([seen, sink.begun]).toEqual([[], false]);
  clock.advance(1);
  sink.data(Buffer.from('c'));
  expect([seen, sink.begun]).toEqual([['head', 'a', 'b', 'c'], true]);
});

test('counts its time from the first event, however long that took', () => {
  const { clock, seen, sink } = setUp();
  clock.advance(10_000);
  sink.head(head);
  sink.data(Buffer.from('a'));
  expect(seen).toEqual([]);
});

test('keeps no more than 64 KiB, and says when the reader is behind', () => {
  const { clock, seen, sink, stop } = setUp();
  stop();
  sink.head(head);
  expect(sink.data(Buffer.alloc(40_000))).toBe(true);
  expect(sink.data(Buffer.alloc(40_000))).toBe(false);
  expect(seen).toEqual(['head', '40000 bytes', '40000 bytes']);
  expect(clock.pendingTimers).toBe(0);
});

test('forgets what a failed attempt gave, and begins anew with the next', () => {
  const { clock, seen, sink } = setUp();
  sink.head(head);
  sink.data(Buffer.from('half'));
  sink.abandon();
  expect([seen, clock.pendingTimers]).toEqual([['abandoned'], 0]);
  clock.advance(400);
  sink.head(head);
  sink.data(Buffer.from('whole'));
  clock.advance(499);
  expect(seen).toEqual(['abandoned']);
  clock.advance(1);
  expect(seen).toEqual(['abandoned', 'head', 'whole']);
});

test('ends with the answer, and holds nothing where nothing came', () => {
  const { clock, seen, sink } = setUp();
  expect(sink.release()).toBe(true);
  expect(seen).toEqual([]);
  sink.head(head);
  sink.data(Buffer.from('a'));
  sink.release();
  expect([seen, clock.pendingTimers]).toEqual([['head', 'a'], 0]);
});

import { createFakeClock } from '@holdfast/kit/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { createModelCall } from '../../../test/support/model-call.ts';
import type { ModelCall } from '../model-call.ts';
import type { LedgerEntry } from '../ports.ts';
import { DurableSink } from './durable-sink.ts';

/** A client that notes what it gets, and an intent that becomes durable when the test says so. */
let seen: string[];
let entry: { durable: boolean; write: () => void; refuse: (error: Error) => void };
let call: ModelCall;
let sink: DurableSink;

beforeEach(() => {
  seen = [];
  const written = Promise.withResolvers<void>();
  const ledgerEntry: LedgerEntry = { durable: false, makeDurable: () => written.promise, settle: async () => {} };
  entry = { durable: false, write: written.resolve, refuse: written.reject };
  call = createModelCall({
    sink: {
      begun: false,
      head: ({ headers }) => void seen.push(`head ${headers['from']}`),
      data: (bytes) => {
        seen.push(bytes.toString());
        return true;
      },
      drained: (callback) => callback(),
      abandon() {},
    },
  });
  sink = new DurableSink(call, ledgerEntry, createFakeClock());
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('DurableSink', () => {
  test('passes nothing on before the intent is durable, and everything in order after', async () => {
    sink.head({ headers: { from: 'one' } });
    let drained = false;
    expect(sink.data(Buffer.from('a'))).toBe(false);
    sink.drained(() => (drained = true));
    await turn();
    expect([seen, sink.begun, drained]).toEqual([[], false, false]);
    entry.write();
    await sink.opened;
    expect([seen, sink.begun, drained]).toEqual([['head one', 'a'], true, true]);
    expect(sink.data(Buffer.from('b'))).toBe(true);
    expect(seen).toEqual(['head one', 'a', 'b']);
  });

  test('what an attempt gave that failed before the intent was durable never goes out', async () => {
    sink.head({ headers: { from: 'one' } });
    sink.data(Buffer.from('lost'));
    sink.abandon();
    entry.write();
    await turn();
    expect([seen, sink.begun]).toEqual([[], false]);
    sink.head({ headers: { from: 'two' } });
    sink.data(Buffer.from('kept'));
    await sink.opened;
    expect(seen).toEqual(['head two', 'kept']);
  });

  test('an intent that cannot be written cancels the call', async () => {
    sink.head({ headers: { from: 'one' } });
    const reason = new Error('no database');
    entry.refuse(reason);
    await expect(sink.opened).rejects.toBe(reason);
    expect(call.context.cancellation.reason).toBe(reason);
    expect(seen).toEqual([]);
  });

  test('nothing goes out to a client that has gone meanwhile', async () => {
    sink.head({ headers: { from: 'one' } });
    sink.data(Buffer.from('a'));
    call.context.cancellation.cancel(new Error('gone'));
    entry.write();
    await sink.opened;
    expect(seen).toEqual([]);
  });
});

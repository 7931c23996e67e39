import { createFakeClock } from '@holdfast/kit/testing';
import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import { Cancellation } from '@holdfast/kit/time';
import { describe, expect, test } from 'vitest';
import { createReferences } from '../../../test/support/personal-references.ts';
import { emptyRecord, type CallEnding, type ModelCall } from '../../model/index.ts';
import { CallLedger } from './call-ledger.ts';
import { deadAfterMs, InstanceLease } from './instance-lease.ts';
import type { LedgerWrite } from './ledger-store.ts';

const ending: CallEnding = {
  outcome: 'completed',
  errorCode: undefined,
  status: 200,
  usage: undefined,
  finishReason: 'stop',
  servedModel: 'm',
  costNanoUsd: null,
  latencyMs: 1,
  overheadMs: 1,
  finishedAt: 0,
};

/** A database played by the test: away, slow, or as it should be. */
async function setup() {
  const clock = createFakeClock();
  const written: LedgerWrite[] = [];
  const database = { away: false, held: undefined as Promise<void> | undefined, refuses: false };
  let refusals = 0;
  let nextId = 0;
  const lease = new InstanceLease({
    async beat() {
      if (database.away) throw new Error('away');
    },
    newId: () => `00000000-0000-7000-8000-${String(nextId++).padStart(12, '0')}`,
    clock,
  });
  await lease.start();
  const ledger = new CallLedger({
    references: createReferences(),
    async write(batch) {
      await database.held;
      if (database.away) throw new HoldfastError('database_unavailable');
      if (database.refuses) {
        refusals++;
        throw new TypeError('refused for good');
      }
      written.push(...batch);
    },
    mayPass: isHoldfastError,
    lease,
    clock,
  });
  const enter = (id: string) => ledger.enter(callOf(id, clock.monotonic()));
  const kindsOf = (id: string) => written.filter((write) => write.bytes.includes(idBytes(id))).map((write) => write.kind);
  return { clock, database, lease, ledger, enter, written, kindsOf, refusals: () => refusals };
}

/** The UUID by which a test's short name of a call goes. */
function uuidOf(name: string): string {
  return `00000000-0000-7000-9000-${Buffer.from(name.slice(0, 6)).toString('hex').padStart(12, '0')}`;
}
function idBytes(name: string): Buffer {
  return Buffer.from(uuidOf(name).replaceAll('-', ''), 'hex');
}

function callOf(id: string, startedMonotonic: number): ModelCall {
  return {
    id: uuidOf(id),
    context: {
      requestId: 'r',
      principal: {
        organizationId: uuidOf('o'),
        organizationTier: 'unlimited',
        keyId: uuidOf('k'),
        userId: undefined,
        scopes: new Set(),
        allowedModels: undefined,
      },
      cancellation: new Cancellation(),
      startedAt: 0,
      startedMonotonic,
    },
    operation: 'chat',
    dialect: 'openai',
    model: 'm',
    stream: true,
    body: { bytes: Buffer.alloc(0), value: {} } as unknown as ModelCall['body'],
    headers: {},
    endUser: undefined,
    feature: undefined,
    sink: { begun: false, abandon() {}, head: () => {}, data: () => true, drained: () => {} },
    record: emptyRecord(),
  };
}

describe('the ledger of calls', () => {
  test('writes no intent of a call that ends soon, and one of a call that runs on', async () => {
    const { clock, enter, kindsOf } = await setup();
    await enter('soon').settle(ending);
    const late = enter('late');
    await clock.advanceAsync(25);
    expect(late.durable).toBe(true);
    await late.settle(ending);
    expect(kindsOf('soon')).toEqual(['row']);
    expect(kindsOf('late')).toEqual(['intent', 'row']);
  });

  test('asks for an intent anew after an outage that the call outlasted', async () => {
    const { clock, database, enter, kindsOf } = await setup();
    const entry = enter('long');
    database.away = true;
    await clock.advanceAsync(8_000);
    expect(entry.durable).toBe(false);
    database.away = false;
    await clock.advanceAsync(1_000);
    await entry.makeDurable();
    expect(entry.durable).toBe(true);
    expect(kindsOf('long')).toEqual(['intent']);
  });

  test('writes the intent of a call that sends nothing and asks for nothing once the database is back', async () => {
    const { clock, database, enter, kindsOf } = await setup();
    const entry = enter('plain');
    database.away = true;
    await clock.advanceAsync(8_000);
    expect(entry.durable).toBe(false);
    database.away = false;
    await clock.advanceAsync(2_000);
    expect([entry.durable, kindsOf('plain')]).toEqual([true, ['intent']]);
    await entry.settle(ending);
    await clock.advanceAsync(10_000);
    expect(kindsOf('plain')).toEqual(['intent', 'row']);
  });

  test('tries an intent that the database refused again, at its leisure, and no more once the call has ended', async () => {
    const { clock, database, enter, kindsOf, refusals } = await setup();
    database.refuses = true;
    const entry = enter('refused');
    await clock.advanceAsync(25);
    const once = refusals();
    expect(once).toBeGreaterThan(0);
    await clock.advanceAsync(3_500);
    expect(refusals()).toBe(4 * once);
    database.refuses = false;
    await clock.advanceAsync(1_000);
    expect([entry.durable, kindsOf('refused')]).toEqual([true, ['intent']]);

    database.refuses = true;
    const ended = enter('ended');
    await clock.advanceAsync(25);
    database.refuses = false;
    await ended.settle(ending);
    const count = refusals();
    await clock.advanceAsync(5_000);
    expect([refusals(), kindsOf('ended')]).toEqual([count, ['row']]);
  });

  test('tries no intent of a call whose lease is lost', async () => {
    const { clock, database, lease, enter, kindsOf } = await setup();
    const timers = clock.pendingTimers;
    const entry = enter('orphan');
    database.away = true;
    await clock.advanceAsync(deadAfterMs);
    database.away = false;
    await clock.advanceAsync(10_000);
    expect([lease.valid, entry.durable, kindsOf('orphan'), clock.pendingTimers]).toEqual([true, false, [], timers]);
  });

  test('withholds an answer whose row waited until others may have settled the call, and lets newer ones through', async () => {
    const { clock, database, lease, enter, kindsOf } = await setup();
    let release!: () => void;
    database.held = new Promise((resolve) => (release = resolve));
    const inFlight = enter('in-flight').settle(ending);
    await clock.advanceAsync(0);
    const waiting = enter('waiting').settle(ending);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'ledger_unavailable' });
    // The process stands still: no beat goes out, and when it goes on it takes another name.
    database.away = true;
    await clock.advanceAsync(deadAfterMs);
    database.away = false;
    await clock.advanceAsync(1_000);
    expect(lease.valid).toBe(true);
    const newer = enter('newer').settle(ending);
    release();
    await refused;
    await Promise.all([inFlight, newer]);
    expect(kindsOf('waiting')).toEqual([]);
    expect(kindsOf('newer')).toEqual(['row']);
  });

  test('waits at the end for calls that were cut and are about to be settled, and not for ever', async () => {
    const { clock, ledger, enter, kindsOf } = await setup();
    const cut = enter('cut');
    let flushed = false;
    void ledger.flush().then(() => (flushed = true));
    await clock.advanceAsync(100);
    expect(flushed).toBe(false);
    await cut.settle({ ...ending, outcome: 'aborted' });
    await clock.advanceAsync(0);
    expect(flushed).toBe(true);
    expect(kindsOf('cut')).toContain('row');

    enter('never');
    const bounded = ledger.flush();
    await clock.advanceAsync(6_000);
    await bounded;
  });

  test('refuses calls from the moment at which the database failed until it is seen to be back', async () => {
    const { clock, database, ledger, enter } = await setup();
    database.away = true;
    const refused = expect(enter('lost').settle(ending)).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await clock.advanceAsync(50);
    expect(ledger.available).toBe(false);
    await clock.advanceAsync(6_000);
    await refused;
    expect(ledger.available).toBe(false);
    database.away = false;
    await clock.advanceAsync(1_000);
    expect(ledger.available).toBe(true);
  });
});

import { isHoldfastError } from '@holdfast/kit/errors';
import { createUuidV7, systemClock, systemRandom, type Clock } from '@holdfast/kit/time';
import { CallLedger, createLedgerWriter, InstanceLease, writeBeat } from '../../src/features/costs/index.ts';
import type { CallEnding, ModelCall } from '../../src/model/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { createReferences } from '../support/personal-references.ts';
import { createModelCall } from '../support/model-call.ts';

export const newId = createUuidV7(systemClock, systemRandom);

/** So many times as fast as the real one. */
export const hurriedClock = (times: number): Clock => ({
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic() * times,
  setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / times),
});

/** So that patience ends soon. */
export const hastyClock = hurriedClock(10);

export interface CallOverrides extends Partial<Omit<ModelCall, 'body' | 'context' | 'record'>> {
  readonly organizationId?: string;
  readonly keyId?: string;
  readonly userId?: string | undefined;
  readonly requestId?: string;
  readonly startedAt?: number;
  readonly record?: Partial<ModelCall['record']>;
}

/** A call as the ledger sees it; what it does not look at is left empty. */
export function modelCall(overrides: CallOverrides = {}): ModelCall {
  const {
    organizationId = newId(),
    keyId = newId(),
    userId,
    requestId = newId(),
    startedAt = systemClock.now(),
    record,
    ...rest
  } = overrides;
  return createModelCall({
    id: newId(),
    context: { requestId, startedAt, startedMonotonic: systemClock.monotonic() },
    principal: { organizationId, keyId, userId },
    model: 'fast',
    stream: false,
    record: { provider: 'primary', targetModel: 'gpt-4o-mini', ...record },
    ...rest,
  });
}

export function ending(overrides: Partial<CallEnding> = {}): CallEnding {
  return {
    outcome: 'completed',
    errorCode: undefined,
    status: 200,
    usage: { promptTokens: 9, completionTokens: 4, cachedTokens: 2, cacheWriteTokens: 1, reasoningTokens: 3, source: 'provider' },
    finishReason: 'stop',
    servedModel: 'gpt-4o-mini-2024-07-18',
    costNanoUsd: 12_345,
    latencyMs: 10.5,
    overheadMs: 0.25,
    finishedAt: systemClock.now(),
    ...overrides,
  };
}

export interface OpenLedger {
  readonly ledger: CallLedger;
  readonly lease: InstanceLease;
  /** How many times a commit failed for want of the database. */
  readonly failures: () => number;
  close(): Promise<void>;
}

/** The ledger as the server has it: real writer, real lease, real database. */
export async function openLedger(database: Database, clock: Clock = systemClock): Promise<OpenLedger> {
  const lease = new InstanceLease({ beat: (id) => writeBeat(database, id), newId, clock });
  await lease.start();
  const writer = createLedgerWriter(() => database.pool('writer'), clock);
  let failures = 0;
  const ledger = new CallLedger({
    write: (batch, again) => writer.write(batch, again),
    mayPass: (error) => isHoldfastError(error),
    onAway: () => failures++,
    lease,
    references: createReferences(),
    clock,
  });
  return {
    ledger,
    lease,
    failures: () => failures,
    async close() {
      await ledger.flush();
      writer.close();
      lease.stop();
    },
  };
}

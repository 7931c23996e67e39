import { HoldfastError, toHoldfastError } from '@holdfast/kit/errors';
import { AttemptError, type AttemptResult, type PartialUse, type Usage } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { usageOf } from '../estimate-usage.ts';
import type { CallLayer, ModelCall, SettledCall } from '../model-call.ts';
import { noteLayer } from '../call-tracing.ts';
import type { CallEnding, Ledger, LedgerEntry } from '../ports.ts';
import { DurableSink } from './durable-sink.ts';
import { extraCostNanoUsd } from './extra-cost.ts';

/**
 * Records every call: its intent before the client gets a byte, its row before the client gets the end.
 * An answer whose row could not be committed is withheld.
 */
export function ledgerLayer(ledger: Ledger, clock: Clock): CallLayer {
  return (next) => async (call) => {
    if (!ledger.available) throw new HoldfastError('ledger_unavailable', { detail: 'the database has not answered', retryAfterSeconds: 1 });
    const entry = ledger.enter(call);
    const sink = call.stream ? new DurableSink(call, entry, clock) : undefined;
    let result: AttemptResult;
    try {
      // What a hard budget holds back for it must be known to others before it can be spent, or a crash would hide it.
      if (call.record.reservedNanoUsd) await makeDurable(entry, call, clock);
      result = await next(sink ? { ...call, sink } : call);
      // A provider that does not stop when it is told to may be through before the intent is: its pieces go before its end.
      if (sink?.opened !== undefined) await sink.opened;
    } catch (thrown) {
      const error = toHoldfastError(thrown);
      const use = error instanceof AttemptError ? error.partial : undefined;
      const settled = settlement(call, error, use);
      call.record.settled = settled;
      // The row of a failed call is committed before the client hears of the failure; when that fails too, the first
      // reason is the one worth telling.
      await settle(entry, call, clock, ending(call, clock, settled, undefined)).catch(() => {});
      throw error;
    }
    const settled = settlement(call, undefined, result);
    call.record.settled = settled;
    try {
      await settle(entry, call, clock, ending(call, clock, settled, result.finishReason));
    } catch (error) {
      call.record.settled = { ...settled, outcome: 'failed', error: toHoldfastError(error) };
      throw error;
    }
    return result;
  };
}

async function makeDurable(entry: LedgerEntry, { record }: ModelCall, clock: Clock): Promise<void> {
  const beganAt = clock.monotonic();
  await entry.makeDurable();
  const now = clock.monotonic();
  record.layers['ledger'] = now - beganAt;
  noteLayer(record.tracing, 'ledger.intent', beganAt, now);
}

function settle(entry: LedgerEntry, call: ModelCall, clock: Clock, how: CallEnding): Promise<void> {
  const { tracing } = call.record;
  if (tracing === undefined) return entry.settle(how);
  const beganAt = clock.monotonic();
  return entry.settle(how).then(
    () => noteLayer(tracing, 'ledger.settle', beganAt, clock.monotonic()),
    (error: unknown) => {
      noteLayer(tracing, 'ledger.settle', beganAt, clock.monotonic(), toHoldfastError(error).code);
      throw error;
    },
  );
}

function settlement(call: ModelCall, error: HoldfastError | undefined, use: PartialUse | undefined): SettledCall {
  const usage = usageOf(call, error, use);
  const { providerKind, targetModel, pricing } = call.record;
  let costNanoUsd: number | null = 0;
  let priceId: string | undefined;
  if (usage !== undefined && providerKind !== undefined && targetModel !== undefined && pricing !== undefined) {
    const used = { providerKind, model: targetModel, servedModel: use?.servedModel, usage, at: call.context.startedAt };
    costNanoUsd = pricing.costNanoUsd(used);
    priceId = pricing.priceId(used);
  }
  const extra = call.record.attempts.length > 1 ? extraCostNanoUsd(call) : 0;
  const total = costNanoUsd === null || extra === null ? null : costNanoUsd + extra;
  return { outcome: outcomeOf(error), error, use, usage, costNanoUsd: total, priceId };
}

function outcomeOf(error: HoldfastError | undefined): CallEnding['outcome'] {
  if (!error) return 'completed';
  return error.code === 'client_closed' ? 'aborted' : 'failed';
}

function ending(call: ModelCall, clock: Clock, settled: SettledCall, finishReason: string | undefined): CallEnding {
  const { context, record } = call;
  const latencyMs = clock.monotonic() - context.startedMonotonic;
  record.layers['provider'] = record.providerMs;
  if (record.pausedMs > 0) record.layers['pause'] = record.pausedMs;
  return {
    outcome: settled.outcome as CallEnding['outcome'],
    errorCode: settled.error?.code,
    status: settled.error?.status ?? 200,
    usage: settled.usage as Usage | undefined,
    finishReason,
    servedModel: settled.use?.servedModel ?? record.targetModel,
    costNanoUsd: settled.costNanoUsd,
    priceId: settled.priceId,
    latencyMs,
    overheadMs: Math.max(0, latencyMs - record.providerMs - record.pausedMs),
    finishedAt: clock.now(),
  };
}

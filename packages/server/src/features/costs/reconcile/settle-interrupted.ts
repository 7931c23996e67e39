import { isSnapshotOf } from '@holdfast/kit/llm/pricing';
import type { Usage } from '@holdfast/kit/llm';

/** What is known of one model in one span of an export. */
export interface SpanModel {
  readonly model: string;
  readonly exported: Usage;
  /** Undefined where the provider does not count requests. */
  readonly exportedRequests: number | undefined;
  readonly recorded: Usage;
  readonly recordedCalls: number;
  /** Calls of which the ledger has an estimate: what is left over may be theirs. */
  readonly estimatedCalls: number;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly models: readonly SpanModel[];
}

export interface InterruptedCall {
  readonly id: string;
  readonly startedAtMs: number;
  /** Names by which the provider may have been asked for a model. */
  readonly models: readonly string[];
}

export type Settlement =
  /** The provider charged this, and nothing else can have caused it. */
  | { readonly callId: string; readonly model: string; readonly usage: Usage }
  /** The provider charged nothing that the ledger does not have. */
  | { readonly callId: string; readonly model: undefined; readonly usage: undefined };

export interface Unsettled {
  readonly callId: string;
  readonly why: string;
}

/** A call that begins so shortly before the end of a span may be counted in the next one. Of spans of a minute nothing else can be expected. */
const edgeMs = 15 * 60_000;
/** Providers take their time until an export has everything. */
const settledAfterMs = 60 * 60_000;

const kinds = ['promptTokens', 'completionTokens', 'cachedTokens', 'cacheWriteTokens'] as const;

/**
 * What interrupted calls used, as far as a provider's sums say it beyond doubt: in the span of a call there is more than the ledger has of exactly one
 * model that it can have asked for, no other interrupted call can have caused it, and nothing there is estimated. Where the sums agree, it used
 * nothing. It is a condition that nobody else uses the provider's key: no export tells who called.
 */
export function settleInterrupted(
  spans: readonly Span[],
  calls: readonly InterruptedCall[],
  nowMs: number,
): { readonly settled: readonly Settlement[]; readonly unsettled: readonly Unsettled[] } {
  const settled: Settlement[] = [];
  const unsettled: Unsettled[] = [];
  for (const call of calls) {
    const span = spans.find(({ fromMs, toMs }) => call.startedAtMs >= fromMs && call.startedAtMs < toMs);
    const result = span === undefined ? 'the export does not cover its time' : settle(call, span, calls, nowMs);
    if (typeof result === 'string') unsettled.push({ callId: call.id, why: result });
    else settled.push(result);
  }
  return { settled, unsettled };
}

function settle(call: InterruptedCall, span: Span, calls: readonly InterruptedCall[], nowMs: number): Settlement | string {
  if (nowMs - span.toMs < settledAfterMs) return 'its span is so recent that the export may not have everything';
  if (span.toMs - call.startedAtMs < Math.min(edgeMs, (span.toMs - span.fromMs) / 2))
    return 'it began so near the end of its span that it may be counted in the next';
  const possible = span.models.filter(({ model }) => mayBe(call, model));
  if (possible.some(({ estimatedCalls }) => estimatedCalls > 0)) return 'other calls of its model are only estimated in the ledger';
  const left = possible.map((each) => ({ ...each, left: leftOver(each), requests: requestsLeft(each) }));
  if (left.some(({ left: rest }) => rest === undefined)) return 'the ledger has more of its model than the provider: compare first';
  const charged = left.filter(({ left: rest, requests = 0 }) => requests !== 0 || kinds.some((kind) => rest![kind] > 0));
  if (charged.length === 0) return { callId: call.id, model: undefined, usage: undefined };
  if (charged.length > 1) return 'several models that it may have asked for were charged';
  const [only] = charged as [(typeof charged)[number]];
  if (only.requests !== undefined && only.requests !== 1)
    return `${only.requests} requests are left over, which it alone cannot have caused`;
  const rivals = calls.filter(
    (other) => other !== call && other.startedAtMs >= span.fromMs && other.startedAtMs < span.toMs && mayBe(other, only.model),
  );
  if (rivals.length > 0) return 'another interrupted call may have caused what is left over';
  return { callId: call.id, model: only.model, usage: only.left! };
}

function mayBe({ models }: InterruptedCall, exported: string): boolean {
  return models.some((model) => model === exported || isSnapshotOf(exported, model));
}

function requestsLeft({ exportedRequests, recordedCalls }: SpanModel): number | undefined {
  return exportedRequests === undefined ? undefined : exportedRequests - recordedCalls;
}

/** Undefined when the ledger has more of anything. */
function leftOver({ exported, recorded }: SpanModel): Usage | undefined {
  if (kinds.some((kind) => exported[kind] < recorded[kind])) return undefined;
  return {
    promptTokens: exported.promptTokens - recorded.promptTokens,
    completionTokens: exported.completionTokens - recorded.completionTokens,
    cachedTokens: exported.cachedTokens - recorded.cachedTokens,
    cacheWriteTokens: exported.cacheWriteTokens - recorded.cacheWriteTokens,
    cacheWrite1hTokens: Math.max(0, (exported.cacheWrite1hTokens ?? 0) - (recorded.cacheWrite1hTokens ?? 0)),
    // No export tells it apart.
    reasoningTokens: 0,
    source: 'provider',
  };
}

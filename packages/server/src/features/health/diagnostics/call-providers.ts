import { HoldfastError, toHoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { readShallowBody } from '@holdfast/kit/llm';
import { Cancellation, type Clock } from '@holdfast/kit/time';
import { emptyRecord, type CallNext, type ModelCall, type Principal } from '../../../model/index.ts';
import { findingOf, type Finding } from './finding.ts';

/** A target of the configuration: the first of its provider. */
export interface ProviderTarget {
  readonly provider: string;
  /** `provider/model` */
  readonly target: string;
}

export interface ProviderCall extends ProviderTarget {
  readonly answered: boolean;
  readonly errorCode: ErrorCode | undefined;
  readonly latencyMs: number;
  readonly promptTokens: number | undefined;
  readonly completionTokens: number | undefined;
  /** Null when the price is not known, or nothing was used. */
  readonly costNanoUsd: number | null;
}

export interface ProviderCallerOptions {
  readonly pipeline: CallNext;
  readonly clock: Clock;
  readonly createId: () => string;
  /** For one call. Default 20,000. */
  readonly timeoutMs?: number;
}

/** As little as providers take: reasoning models spend tokens before their first word. */
const maxTokens = 16;

/**
 * Makes one real call of each target, as the key that asks, through all layers: it counts in limits, breakers and ledger as any other call,
 * and is paid for.
 */
export function createProviderCaller({ pipeline, clock, createId, timeoutMs = 20_000 }: ProviderCallerOptions) {
  return (targets: readonly ProviderTarget[], principal: Principal, requestId: string): Promise<readonly ProviderCall[]> =>
    Promise.all(targets.map((target) => call(target, principal, requestId)));

  async function call(to: ProviderTarget, principal: Principal, requestId: string): Promise<ProviderCall> {
    const startedMonotonic = clock.monotonic();
    const cancellation = new Cancellation();
    const limit = clock.setTimeout(() => cancellation.cancel(new HoldfastError('call_timeout')), timeoutMs);
    const text = JSON.stringify({ model: to.target, max_tokens: maxTokens, messages: [{ role: 'user', content: 'Say ok.' }] });
    const made: ModelCall = {
      id: createId(),
      context: { requestId, principal, cancellation, startedAt: clock.now(), startedMonotonic },
      operation: 'chat',
      // Every provider that is not Anthropic's gets it translated, with the name of the limit that it knows.
      dialect: 'anthropic',
      model: to.target,
      stream: false,
      body: readShallowBody(Buffer.from(text), { maxDepth: 8 }),
      headers: { 'anthropic-version': '2023-06-01' },
      endUser: undefined,
      feature: 'diagnostics',
      sink: { begun: false, head() {}, data: () => true, drained() {}, abandon() {} },
      record: emptyRecord(),
    };
    let errorCode: ErrorCode | undefined;
    try {
      await pipeline(made);
    } catch (thrown) {
      errorCode = toHoldfastError(thrown).code;
    } finally {
      limit.cancel();
    }
    const { settled } = made.record;
    return {
      ...to,
      answered: errorCode === undefined,
      errorCode,
      latencyMs: Math.round((clock.monotonic() - startedMonotonic) * 1_000) / 1_000,
      promptTokens: settled?.usage?.promptTokens,
      completionTokens: settled?.usage?.completionTokens,
      costNanoUsd: settled?.costNanoUsd ?? null,
    };
  }
}

export function examineProviderCalls(calls: readonly ProviderCall[]): Finding[] {
  return calls
    .filter(({ answered }) => !answered)
    .map(({ provider, target, errorCode, latencyMs }) =>
      findingOf('provider_call_failed', { provider, target, error_code: errorCode ?? null, latency_ms: latencyMs }),
    );
}

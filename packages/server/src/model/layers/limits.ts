import { refusalError, type BucketTake, type Decision } from '@holdfast/kit/ratelimit';
import type { AttemptResult, Usage } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { createAddTakes, leaseMs } from '../call-rate-limits.ts';
import { expectedTokens } from '../expected-tokens.ts';
import { LeaseKeeper } from '../lease-keeper.ts';
import { noteLayer } from '../call-tracing.ts';
import type { CallLayer, CallNext, ModelCall } from '../model-call.ts';
import type { CallLimits } from '../ports.ts';

/**
 * Takes from the buckets of the model, the key and the organization in one step: calls, places, and the tokens that the call is
 * expected to use; refuses with `rate_limited` when one of them has no room. However the call ends, its places are given back once and its
 * tokens are settled once by what it used. A call that nothing limits costs two comparisons.
 */
export function limitsLayer(limits: CallLimits, clock: Clock): CallLayer {
  const { limiter } = limits;
  const enforced = createAddTakes(false);
  const inShadow = createAddTakes(true);
  const leases = new LeaseKeeper(clock, leaseMs);

  function takesOf(call: ModelCall): BucketTake[] | undefined {
    const settings = limits.current;
    if (settings === undefined) return undefined;
    const { principal } = call.context;
    const ofModel = call.record.route!.rateLimits;
    const ofKey = principal.rateLimits;
    const ofOrganization = settings.organizationLimits(principal);
    if (ofModel === undefined && ofKey === undefined && ofOrganization === undefined) return undefined;
    const countsTokens =
      ofModel?.tokensPerMinute !== undefined || ofKey?.tokensPerMinute !== undefined || ofOrganization?.tokensPerMinute !== undefined;
    const expected = countsTokens ? expectedTokens(call, settings.assumedCompletionTokens) : undefined;
    const addTakes = settings.shadow ? inShadow : enforced;
    const takes: BucketTake[] = [];
    if (ofModel) addTakes(takes, 'model', ofModel, call.record.route!.name, expected);
    if (ofKey) addTakes(takes, 'key', ofKey, principal.keyId, expected);
    if (ofOrganization) addTakes(takes, 'organization', ofOrganization, principal.organizationId, expected);
    return takes.length === 0 ? undefined : takes;
  }

  async function waited(call: ModelCall, taken: Promise<Decision>): Promise<Decision> {
    const { tracing } = call.record;
    if (tracing === undefined) return taken;
    const beganAt = clock.monotonic();
    try {
      return await taken;
    } finally {
      noteLayer(tracing, 'limits', beganAt, clock.monotonic());
    }
  }

  async function run(call: ModelCall, takes: readonly BucketTake[], next: CallNext): Promise<AttemptResult> {
    const taken = limiter.take(takes);
    const decision = taken instanceof Promise ? await waited(call, taken) : taken;
    call.record.limits = decision;
    if (!decision.allowed) throw refusalError(decision);
    const hasLease = decision.buckets.some(isLease);
    if (hasLease) leases.hold(decision);
    try {
      return await next(call);
    } finally {
      if (hasLease) leases.drop(decision);
      // Awaited, so that a client that has its answer finds its place free, on whichever instance it comes back to.
      await finish(decision, usedTokens(call));
    }
  }

  return (next) => (call) => {
    const takes = takesOf(call);
    return takes === undefined ? next(call) : run(call, takes, next);
  };
}

function isLease({ policy, taken }: Decision['buckets'][number]): boolean {
  return taken && policy.kind === 'concurrency';
}

/** A store that cannot be reached costs no answer: what was reserved drains, and places end by themselves. */
async function finish(decision: Decision, tokens: number): Promise<void> {
  try {
    const finished = decision.finish(tokens);
    if (finished instanceof Promise) await finished;
  } catch {
    // Announced by the store.
  }
}

/** As the ledger has it: what was said of an answer that broke off too, and what requests used that lost a race. 0 for a call that reached no provider. */
function usedTokens({ record }: ModelCall): number {
  let tokens = tokensOf(record.settled?.usage);
  for (const { extra } of record.attempts) tokens += tokensOf(extra?.usage);
  return tokens;
}

function tokensOf(usage: Usage | undefined): number {
  return usage === undefined ? 0 : usage.promptTokens + usage.completionTokens;
}

import type { ErrorCode, HoldfastError } from '@holdfast/kit/errors';
import type { PartialUse, Usage } from '@holdfast/kit/llm';
import { charactersPerToken, estimatePromptTokens } from './estimate-prompt.ts';
import type { ModelCall } from './model-call.ts';
import { allowedCompletionTokens } from './most-use.ts';

/** Failures before which a provider may have worked: what it did is not known, so it is counted. */
const failuresAfterWork: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'client_closed',
  'hedge_lost',
  'call_timeout',
  'first_token_timeout',
  'stream_stalled',
  'stream_cut',
  'provider_malformed',
  'provider_too_large',
  'ledger_unavailable',
  'draining',
]);

export function mayHaveWorked(code: ErrorCode): boolean {
  return failuresAfterWork.has(code);
}

/** What a call used: as the provider said, where it said so to the end, and counted here otherwise. Undefined when nothing was. */
export function usageOf(call: ModelCall, error: HoldfastError | undefined, use: PartialUse | undefined): Usage | undefined {
  const reported = use?.usage;
  const outputBytes = use?.outputBytes ?? 0;
  if (reported === undefined) return estimateUsage(call, error, outputBytes);
  const counted = countOutput(call, outputBytes);
  if (error === undefined)
    return isNonsense(call, reported, outputBytes) ? atLeast(reported, estimatePromptTokens(call.body), counted) : reported;
  // A stream that broke off had told its prompt at the beginning, but of its answer only what it began with.
  return counted <= reported.completionTokens ? reported : atLeast(reported, 0, counted);
}

/** By its length, but no more than the client allowed: long words are few tokens, and what was reserved for the call has to suffice. */
function countOutput({ body }: ModelCall, outputBytes: number): number {
  return Math.min(Math.ceil(outputBytes / charactersPerToken), allowedCompletionTokens(body) ?? Number.POSITIVE_INFINITY);
}

/** A count that cannot be right was read as 0; an answer that is there was not made of nothing. */
function isNonsense({ operation }: ModelCall, { promptTokens, completionTokens }: Usage, outputBytes: number): boolean {
  return operation !== 'count_tokens' && (promptTokens === 0 || (completionTokens === 0 && outputBytes > 0));
}

function atLeast(reported: Usage, promptTokens: number, completionTokens: number): Usage {
  return {
    ...reported,
    promptTokens: reported.promptTokens === 0 ? promptTokens : reported.promptTokens,
    completionTokens: Math.max(reported.completionTokens, completionTokens),
    source: 'estimated',
  };
}

/**
 * Never 0 for work that was done, and undefined (nothing used) where the provider refused or was never reached.
 */
function estimateUsage(call: ModelCall, error: HoldfastError | undefined, outputBytes: number): Usage | undefined {
  if (call.record.provider === undefined) return undefined;
  if (error && outputBytes === 0 && !(mayHaveWorked(error.code) && call.record.sent)) return undefined;
  const completionTokens = countOutput(call, outputBytes);
  return {
    promptTokens: estimatePromptTokens(call.body),
    completionTokens: call.operation === 'embeddings' ? 0 : error ? completionTokens : Math.max(1, completionTokens),
    cachedTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    source: 'estimated',
  };
}

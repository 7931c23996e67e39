import type { CallFinished } from '../../llm/spec/index.ts';
import type { Exposition } from './exposition.ts';
import { createHistogram, observe, secondsBuckets } from './histogram.ts';
import { overflowLabel, SeriesTable } from './series-table.ts';

export interface LlmMetricsOptions {
  /** Whether a model name that a client asked for may become a label. All others are `other`: a client can ask for any text. */
  isKnownModel(name: string): boolean;
}

export class LlmMetrics {
  readonly #isKnownModel: (name: string) => boolean;
  readonly #calls = new SeriesTable(['operation', 'provider', 'model', 'outcome'], () => ({
    count: 0,
    duration: createHistogram(secondsBuckets.call),
  }));
  readonly #use = new SeriesTable(['operation', 'provider', 'model'], () => ({
    tokens: { prompt: 0, completion: 0, cached: 0, cache_write: 0, reasoning: 0 },
    costNanoUsd: 0,
    unpriced: 0,
    attempts: 0,
    firstToken: createHistogram(secondsBuckets.firstToken),
    overhead: createHistogram(secondsBuckets.overhead),
  }));
  readonly #callLabels = ['', '', '', ''];
  readonly #useLabels = ['', '', ''];

  constructor(options: LlmMetricsOptions) {
    this.#isKnownModel = (name) => options.isKnownModel(name);
  }

  record(event: CallFinished): void {
    const model = this.#isKnownModel(event.modelAsked) ? event.modelAsked : overflowLabel;
    const provider = event.provider ?? 'none';
    const labels = this.#callLabels;
    const useLabels = this.#useLabels;
    labels[0] = useLabels[0] = event.operation;
    labels[1] = useLabels[1] = provider;
    labels[2] = useLabels[2] = model;
    labels[3] = event.outcome;

    const call = this.#calls.at(labels);
    call.count++;
    observe(call.duration, secondsBuckets.call, event.latencyMs / 1_000);

    const use = this.#use.at(useLabels);
    use.attempts += event.attempts;
    observe(use.overhead, secondsBuckets.overhead, event.overheadMs / 1_000);
    if (event.firstTokenMs !== undefined) observe(use.firstToken, secondsBuckets.firstToken, event.firstTokenMs / 1_000);
    if (event.usage) {
      const { tokens } = use;
      tokens.prompt += event.usage.promptTokens;
      tokens.completion += event.usage.completionTokens;
      tokens.cached += event.usage.cachedTokens;
      tokens.cache_write += event.usage.cacheWriteTokens;
      tokens.reasoning += event.usage.reasoningTokens;
      if (event.costNanoUsd === null) use.unpriced++;
    }
    if (event.costNanoUsd !== null) use.costNanoUsd += event.costNanoUsd;
  }

  expose(to: Exposition): void {
    to.counter('holdfast_llm_calls_total', 'Model calls that ended, by outcome.', this.#calls, ({ count }) => count);
    to.histogram(
      'holdfast_llm_call_duration_seconds',
      'From the arrival of a call to its end.',
      this.#calls,
      secondsBuckets.call,
      ({ duration }) => duration,
    );
    to.histogram(
      'holdfast_llm_first_token_seconds',
      'From the arrival of a streamed call to its first event.',
      this.#use,
      secondsBuckets.firstToken,
      ({ firstToken }) => firstToken,
    );
    to.histogram(
      'holdfast_llm_overhead_seconds',
      'The part of a call that was spent in Holdfast and not in waiting for the provider.',
      this.#use,
      secondsBuckets.overhead,
      ({ overhead }) => overhead,
    );
    to.counter('holdfast_llm_attempts_total', 'Tries at providers, repeated ones included.', this.#use, ({ attempts }) => attempts);
    to.counterBy(
      'holdfast_llm_tokens_total',
      'Tokens used. `cached` and `cache_write` are parts of `prompt`, `reasoning` is a part of `completion`.',
      this.#use,
      'kind',
      ({ tokens }) => tokens,
    );
    to.counter(
      'holdfast_llm_cost_usd_total',
      'Cost of the calls whose price is known, in US dollars.',
      this.#use,
      ({ costNanoUsd }) => costNanoUsd / 1e9,
    );
    to.counter(
      'holdfast_llm_unpriced_calls_total',
      'Calls that used tokens at a price that is not known; they are missing from the cost.',
      this.#use,
      ({ unpriced }) => unpriced,
    );
  }
}

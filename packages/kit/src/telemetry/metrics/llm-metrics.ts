import type { AttemptFailed, CallFinished } from '../../llm/spec/index.ts';
import type { MetricDefinitions } from './definition.ts';
import type { Exposition } from './exposition.ts';
import { createHistogram, observe } from './histogram.ts';
import { overflowLabel, SeriesTable } from './series-table.ts';
import { observeMs } from './traced.ts';

export interface LlmMetricsOptions {
  /** Whether a model name that a client asked for may become a label. All others are `other`: a client can ask for any text. */
  isKnownModel(name: string): boolean;
  /** The same of a target, `provider/model`. */
  isKnownTarget(name: string): boolean;
  /** Organizations that are counted each for itself; 0 counts none. */
  readonly maxOrganizations: number;
}

const use = {
  operation: '`chat`, `embeddings` …',
  provider: 'its name in the configuration; `none` for a call that was refused before one was chosen',
  model: 'the name that was asked for; `other` for one that is not in the configuration',
};
const calls = { ...use, outcome: 'how it ended, as the ledger records it' };
const tokens = { kind: '`prompt`, `completion`, `cached` and `cache_write` (parts of prompt), `reasoning` (a part of completion)' };
const organization = { organization: 'id of the organization; `other` beyond `metrics.maxOrganizations`' };

export const llmMetrics = {
  calls: {
    name: 'holdfast_llm_calls_total',
    type: 'counter',
    help: 'Model calls that ended, by outcome.',
    labels: calls,
    example: 'sum by (model) (rate(holdfast_llm_calls_total{outcome="failed"}[5m])) / sum by (model) (rate(holdfast_llm_calls_total[5m]))',
  },
  duration: {
    name: 'holdfast_llm_call_duration_seconds',
    type: 'histogram',
    help: 'From the arrival of a call to its end.',
    labels: calls,
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 600],
    example: 'histogram_quantile(0.95, sum by (le, model) (rate(holdfast_llm_call_duration_seconds_bucket{outcome="completed"}[5m])))',
  },
  firstToken: {
    name: 'holdfast_llm_first_token_seconds',
    type: 'histogram',
    help: 'From the arrival of a streamed call to its first event.',
    labels: use,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 60],
    example: 'histogram_quantile(0.95, sum by (le, provider) (rate(holdfast_llm_first_token_seconds_bucket[5m])))',
  },
  overhead: {
    name: 'holdfast_llm_overhead_seconds',
    type: 'histogram',
    help: 'The part of a call that was spent in Holdfast and not in waiting for the provider.',
    labels: use,
    buckets: [0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 2, 5],
    example: 'histogram_quantile(0.99, sum by (le) (rate(holdfast_llm_overhead_seconds_bucket[5m])))',
  },
  attempts: {
    name: 'holdfast_llm_attempts_total',
    type: 'counter',
    help: 'Tries at providers, repeated ones included.',
    labels: use,
    example: 'sum by (model) (rate(holdfast_llm_attempts_total[5m])) / sum by (model) (rate(holdfast_llm_calls_total[5m]))',
  },
  attemptFailures: {
    name: 'holdfast_llm_attempt_failures_total',
    type: 'counter',
    help: 'Tries that failed and were followed by another, at the same target or the next: what clients never hear of.',
    labels: { target: '`provider/model`; `other` for one that is not in the configuration', code: 'of the error table' },
    example: 'sum by (target, code) (rate(holdfast_llm_attempt_failures_total[5m]))',
  },
  failures: {
    name: 'holdfast_llm_call_failures_total',
    type: 'counter',
    help: 'Model calls that failed or were refused, by what the client was told.',
    labels: { provider: use.provider, model: use.model, code: 'of the error table' },
    example: 'sum by (provider, code) (rate(holdfast_llm_call_failures_total[5m]))',
  },
  tokens: {
    name: 'holdfast_llm_tokens_total',
    type: 'counter',
    help: 'Tokens used. `cached` and `cache_write` are parts of `prompt`, `reasoning` is a part of `completion`.',
    labels: { ...use, ...tokens },
    example: 'sum by (model, kind) (rate(holdfast_llm_tokens_total{kind=~"prompt|completion"}[5m]))',
  },
  cost: {
    name: 'holdfast_llm_cost_usd_total',
    type: 'counter',
    help: 'Cost of the calls whose price is known, in US dollars.',
    labels: use,
    example: 'sum by (provider) (increase(holdfast_llm_cost_usd_total[1d]))',
  },
  unpriced: {
    name: 'holdfast_llm_unpriced_calls_total',
    type: 'counter',
    help: 'Calls that used tokens at a price that is not known; they are missing from the cost.',
    labels: use,
    example: 'sum by (provider, model) (increase(holdfast_llm_unpriced_calls_total[1d])) > 0',
  },
  organizationCalls: {
    name: 'holdfast_organization_calls_total',
    type: 'counter',
    help: 'Model calls that ended, by organization.',
    labels: { ...organization, outcome: calls.outcome },
    example: 'topk(10, sum by (organization) (rate(holdfast_organization_calls_total[5m])))',
  },
  organizationTokens: {
    name: 'holdfast_organization_tokens_total',
    type: 'counter',
    help: 'Tokens used, by organization. `cached` and `cache_write` are parts of `prompt`, `reasoning` is a part of `completion`.',
    labels: { ...organization, ...tokens },
    example: 'topk(10, sum by (organization) (increase(holdfast_organization_tokens_total{kind=~"prompt|completion"}[1d])))',
  },
  organizationCost: {
    name: 'holdfast_organization_cost_usd_total',
    type: 'counter',
    help: 'Cost of the calls whose price is known, in US dollars, by organization.',
    labels: organization,
    example: 'topk(10, sum by (organization) (increase(holdfast_organization_cost_usd_total[1d])))',
  },
} as const satisfies MetricDefinitions;

interface TokenCounts {
  [kind: string]: number;
  prompt: number;
  completion: number;
  cached: number;
  cache_write: number;
  reasoning: number;
}
const noTokens = (): TokenCounts => ({ prompt: 0, completion: 0, cached: 0, cache_write: 0, reasoning: 0 });

export class LlmMetrics {
  readonly #isKnownModel: (name: string) => boolean;
  readonly #isKnownTarget: (name: string) => boolean;
  readonly #countsOrganizations: boolean;
  readonly #calls = new SeriesTable(
    Object.keys(calls),
    () => ({ count: 0, duration: createHistogram(llmMetrics.duration.buckets) }),
    2_000,
  );
  readonly #use = new SeriesTable(
    Object.keys(use),
    () => ({
      tokens: noTokens(),
      costNanoUsd: 0,
      unpriced: 0,
      attempts: 0,
      firstToken: createHistogram(llmMetrics.firstToken.buckets),
      overhead: createHistogram(llmMetrics.overhead.buckets),
    }),
    1_000,
  );
  readonly #failures = new SeriesTable(Object.keys(llmMetrics.failures.labels), () => ({ count: 0 }), 2_000);
  readonly #attemptFailures = new SeriesTable(Object.keys(llmMetrics.attemptFailures.labels), () => ({ count: 0 }), 2_000);
  readonly #organizations: SeriesTable<{
    readonly outcomes: Record<string, number>;
    readonly tokens: TokenCounts;
    costNanoUsd: number;
  }>;
  // One array each for all lookups: it is read and forgotten before the next.
  readonly #callLabels = ['', '', '', ''];
  readonly #useLabels = ['', '', ''];
  readonly #organizationLabel = [''];
  readonly tables: Readonly<Record<string, SeriesTable<object>>>;

  constructor(options: LlmMetricsOptions) {
    this.#isKnownModel = (name) => options.isKnownModel(name);
    this.#isKnownTarget = (name) => options.isKnownTarget(name);
    this.#countsOrganizations = options.maxOrganizations > 0;
    this.#organizations = new SeriesTable(
      Object.keys(organization),
      () => ({ outcomes: {}, tokens: noTokens(), costNanoUsd: 0 }),
      options.maxOrganizations,
    );
    this.tables = {
      [llmMetrics.calls.name]: this.#calls,
      [llmMetrics.tokens.name]: this.#use,
      [llmMetrics.failures.name]: this.#failures,
      [llmMetrics.attemptFailures.name]: this.#attemptFailures,
      [llmMetrics.organizationCalls.name]: this.#organizations,
    };
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
    observeMs(call.duration, llmMetrics.duration.buckets, event.latencyMs, event);

    const used = this.#use.at(useLabels);
    used.attempts += event.attempts;
    observe(used.overhead, llmMetrics.overhead.buckets, event.overheadMs / 1_000);
    if (event.firstTokenMs !== undefined) observeMs(used.firstToken, llmMetrics.firstToken.buckets, event.firstTokenMs, event);
    if (event.usage) {
      addTokens(used.tokens, event.usage);
      if (event.costNanoUsd === null) used.unpriced++;
    }
    if (event.costNanoUsd !== null) used.costNanoUsd += event.costNanoUsd;
    if (event.errorCode !== undefined) this.#failures.at([provider, model, event.errorCode]).count++;
    if (this.#countsOrganizations) this.#recordOrganization(event);
  }

  recordAttemptFailure({ target, error }: AttemptFailed): void {
    this.#attemptFailures.at([this.#isKnownTarget(target) ? target : overflowLabel, error.code]).count++;
  }

  expose(to: Exposition): void {
    to.counter(llmMetrics.calls, this.#calls, ({ count }) => count);
    to.histogram(llmMetrics.duration, this.#calls, ({ duration }) => duration);
    to.histogram(llmMetrics.firstToken, this.#use, ({ firstToken }) => firstToken);
    to.histogram(llmMetrics.overhead, this.#use, ({ overhead }) => overhead);
    to.counter(llmMetrics.attempts, this.#use, ({ attempts }) => attempts);
    to.counter(llmMetrics.attemptFailures, this.#attemptFailures, ({ count }) => count);
    to.counter(llmMetrics.failures, this.#failures, ({ count }) => count);
    to.counterBy(llmMetrics.tokens, this.#use, (series) => series.tokens);
    to.counter(llmMetrics.cost, this.#use, ({ costNanoUsd }) => costNanoUsd / 1e9);
    to.counter(llmMetrics.unpriced, this.#use, ({ unpriced }) => unpriced);
    if (!this.#countsOrganizations) return;
    to.counterBy(llmMetrics.organizationCalls, this.#organizations, ({ outcomes }) => outcomes);
    to.counterBy(llmMetrics.organizationTokens, this.#organizations, (series) => series.tokens);
    to.counter(llmMetrics.organizationCost, this.#organizations, ({ costNanoUsd }) => costNanoUsd / 1e9);
  }

  #recordOrganization(event: CallFinished): void {
    this.#organizationLabel[0] = event.organizationId;
    const organization = this.#organizations.at(this.#organizationLabel);
    organization.outcomes[event.outcome] = (organization.outcomes[event.outcome] ?? 0) + 1;
    if (event.usage) addTokens(organization.tokens, event.usage);
    if (event.costNanoUsd !== null) organization.costNanoUsd += event.costNanoUsd;
  }
}

function addTokens(to: TokenCounts, usage: NonNullable<CallFinished['usage']>): void {
  to.prompt += usage.promptTokens;
  to.completion += usage.completionTokens;
  to.cached += usage.cachedTokens;
  to.cache_write += usage.cacheWriteTokens;
  to.reasoning += usage.reasoningTokens;
}

import { costNanoUsd, type DatedPrice, type PriceBook } from '@holdfast/kit/llm/pricing';
import type { Usage } from '@holdfast/kit/llm';
import type { AuditTrail } from '../../platform/audit/index.ts';
import type { Database } from '../../platform/postgres/index.ts';
import { insertCorrections, readKnownCalls, type CallSelection, type Correction, type KnownCall } from './correction-store.ts';

export interface RepriceOptions {
  readonly database: Pick<Database, 'asOperator'>;
  readonly audit: Pick<AuditTrail, 'write'>;
  readonly book: PriceBook;
  /** The kind of a provider of the configuration, by its name. */
  readonly kindOf: (provider: string) => string | undefined;
}

export interface RepriceReport {
  readonly calls: number;
  readonly changed: number;
  /** Calls whose price is not known now: they stay as they are. */
  readonly unknown: number;
  /** Corrections that were written; 0 of a dry run. */
  readonly corrected: number;
  readonly models: readonly RepricedModel[];
}

/** The calls of one model whose cost changes, before and after. */
export interface RepricedModel {
  readonly model: string;
  readonly calls: number;
  /** Calls whose cost was not known before. */
  readonly unpriced: number;
  readonly beforeNanoUsd: bigint;
  readonly afterNanoUsd: bigint;
}

const pageSize = 1_000;

/**
 * Reckons calls again by the prices of `book`, each by that of its day. Writes nothing unless `apply`; then a correction beside each row
 * whose cost changes, page by page, so that a run that is broken off has done a part, and one that is repeated does the rest.
 */
export async function reprice(
  { database, audit, book, kindOf }: RepriceOptions,
  selection: CallSelection,
  { apply, source }: { readonly apply: boolean; readonly source: string },
): Promise<RepriceReport> {
  const models = new Map<string, { calls: number; unpriced: number; beforeNanoUsd: bigint; afterNanoUsd: bigint }>();
  const report = { calls: 0, changed: 0, unknown: 0, corrected: 0 };
  let afterId: string | undefined;
  do {
    const page = await database.asOperator(async (transaction) => {
      const calls = await readKnownCalls(transaction, selection, { limit: pageSize, afterId });
      const corrections: Correction[] = [];
      for (const call of calls) {
        report.calls++;
        const priced = priceCall(call, book, kindOf);
        if (priced === 'unknown') report.unknown++;
        if (priced === 'unknown' || priced === undefined || priced.costNanoUsd === call.costNanoUsd) continue;
        report.changed++;
        const model = models.get(call.modelServed ?? '?') ?? { calls: 0, unpriced: 0, beforeNanoUsd: 0n, afterNanoUsd: 0n };
        model.calls++;
        if (call.costNanoUsd === null) model.unpriced++;
        model.beforeNanoUsd += BigInt(call.costNanoUsd ?? 0);
        model.afterNanoUsd += BigInt(priced.costNanoUsd);
        models.set(call.modelServed ?? '?', model);
        corrections.push({ call, reason: 'repriced', source, priceId: priced.priceId, costNanoUsd: priced.costNanoUsd });
      }
      if (apply) report.corrected += await insertCorrections(transaction, corrections, audit);
      return calls;
    });
    afterId = page.length === pageSize ? page.at(-1)!.id : undefined;
  } while (afterId !== undefined);
  return { ...report, models: [...models].map(([model, sums]) => ({ model, ...sums })).toSorted((a, b) => (a.model < b.model ? -1 : 1)) };
}

/** Undefined for a call that has nothing to be priced: nobody knows what it used, or no provider worked on it. */
function priceCall(
  call: KnownCall,
  book: PriceBook,
  kindOf: RepriceOptions['kindOf'],
): { readonly costNanoUsd: number; readonly priceId: string } | 'unknown' | undefined {
  const { usage, provider } = call;
  if (usage === undefined || provider === null || usage.promptTokens + usage.completionTokens === 0) return undefined;
  const at = call.startedAt.getTime();
  const find = (name: string | undefined, model: string | null | undefined): DatedPrice | undefined => {
    const kind = name === undefined ? undefined : kindOf(name);
    return kind === undefined || model === null || model === undefined ? undefined : book.find({ provider: kind, model, at });
  };
  // What was asked of the provider is the last attempt of those that ran for the answer.
  const asked = call.attempts.findLast((attempt) => attempt.prompt_tokens === undefined)?.model;
  const price = find(provider, call.modelServed) ?? find(provider, asked);
  let total = price && costNanoUsd(usage, price.prices);
  for (const attempt of call.attempts) {
    if (attempt.prompt_tokens === undefined || total === undefined) continue;
    const lost: Usage = { ...none, promptTokens: attempt.prompt_tokens, completionTokens: attempt.completion_tokens ?? 0 };
    const extra = find(attempt.provider, attempt.model);
    const cost = extra && costNanoUsd(lost, extra.prices);
    total = cost === undefined ? undefined : total + cost;
  }
  return total === undefined ? 'unknown' : { costNanoUsd: total, priceId: price!.id };
}

const none: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, source: 'estimated' };

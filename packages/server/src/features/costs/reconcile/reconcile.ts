import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { firstUuidV7At } from '@holdfast/kit/time';
import { costNanoUsd, type PriceBook } from '@holdfast/kit/llm/pricing';
import type { Usage } from '@holdfast/kit/llm';
import type { AuditTrail } from '../../../platform/audit/index.ts';
import type { Database } from '../../../platform/postgres/index.ts';
import { insertCorrections, readKnownCalls, type Correction, type KnownCall } from '../correction-store.ts';
import type { ExportedUsage, ProviderExport } from './exported-values.ts';
import { readExport } from './provider-export.ts';
import { settleInterrupted, type Span, type SpanModel, type Unsettled } from './settle-interrupted.ts';

export interface ReconcileOptions {
  readonly database: Pick<Database, 'asOperator'>;
  readonly audit: Pick<AuditTrail, 'write'>;
  readonly book: PriceBook;
  /** Names of the configuration's providers of a kind. */
  readonly providersOf: (kind: string) => readonly string[];
  /** By which names a provider of these may have been asked, for a name that a client asked for. */
  readonly modelsOf: (asked: string, providers: readonly string[]) => readonly string[];
  readonly nowMs: number;
}

/** One model on one day, by the ledger and by the provider. */
export interface ComparedModel {
  /** UTC. */
  readonly day: string;
  readonly model: string;
  readonly recordedCalls: number;
  readonly exportedRequests: number | undefined;
  readonly recorded: Usage;
  readonly exported: Usage;
  readonly recordedNanoUsd: bigint;
  /** What the provider's tokens cost by the price book, without tiers, which sums do not show; undefined where a price is not known. */
  readonly exportedNanoUsd: bigint | undefined;
}

export interface ReconcileReport {
  readonly kind: ProviderExport['kind'];
  readonly format: string;
  readonly truncated: boolean;
  readonly models: readonly ComparedModel[];
  /** Of an export of costs: what the provider charges each day, and what the ledger has of all its models. */
  readonly days: readonly { readonly day: string; readonly recordedNanoUsd: bigint; readonly chargedNanoUsd: bigint }[];
  readonly settled: readonly { readonly callId: string; readonly model: string | undefined; readonly costNanoUsd: number | null }[];
  readonly unsettled: readonly Unsettled[];
  /** Corrections that were written. */
  readonly corrected: number;
}

interface RecordedSums {
  readonly calls: number;
  readonly estimated: number;
  readonly usage: Usage;
  readonly nanoUsd: bigint;
}

/** Compares the ledger with an export of a provider. Writes nothing unless `apply`; then corrections for what interrupted calls turned out to have used. */
export async function reconcile(options: ReconcileOptions, text: string, { apply }: { readonly apply: boolean }): Promise<ReconcileReport> {
  const { database, audit, book, providersOf, modelsOf, nowMs } = options;
  const exported = readExport(text);
  const { kind, usages, costs } = exported;
  const providers = providersOf(kind);
  const spans = spansOf([...usages, ...costs]);
  const source = `${exported.format}, sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;

  return database.asOperator(async (transaction) => {
    const recorded = new Map<string, RecordedSums>();
    const { rows } = await sql<Record<string, string>>`
      with calls as (
        select id, started_at, coalesce(model_served, '?') as model, usage_source, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens,
          (usage_details ->> 'cache_write_1h_tokens')::bigint as cache_write_1h_tokens, cost_nano_usd
        from holdfast.calls
        where provider = any(${providers}::text[]) and outcome <> 'interrupted' and usage_source <> 'none' and operation <> 'count_tokens'
        union all
        -- What an earlier comparison found out, or it would be found a second time.
        select c.id, c.started_at, x.model_served, 'provider', x.prompt_tokens, x.completion_tokens, x.cached_tokens, x.cache_write_tokens, null, x.cost_nano_usd
        from holdfast.calls c join holdfast.call_corrections x on x.call_id = c.id and x.reason = 'reconciled' and x.model_served is not null
        where c.outcome = 'interrupted'
      )
      select w.n::text, c.model, count(*)::text as calls, (count(*) filter (where c.usage_source = 'estimated'))::text as estimated,
        coalesce(sum(c.prompt_tokens), 0)::text as prompt, coalesce(sum(c.completion_tokens), 0)::text as completion,
        coalesce(sum(c.cached_tokens), 0)::text as cached, coalesce(sum(c.cache_write_tokens), 0)::text as written,
        coalesce(sum(c.cache_write_1h_tokens), 0)::text as written_1h, coalesce(sum(coalesce(x.cost, c.cost_nano_usd)), 0)::text as nano
      from unnest(${spans.map(({ fromMs }) => new Date(fromMs))}::timestamptz[], ${spans.map(({ toMs }) => new Date(toMs))}::timestamptz[],
        ${spans.map(({ fromMs }) => firstUuidV7At(fromMs - 60_000))}::uuid[], ${spans.map(({ toMs }) => firstUuidV7At(toMs + 3_660_000))}::uuid[])
        with ordinality as w(from_at, to_at, from_id, to_id, n)
      join calls c on c.id >= w.from_id and c.id < w.to_id and c.started_at >= w.from_at and c.started_at < w.to_at
      left join lateral (select cost_nano_usd as cost from holdfast.call_corrections where call_id = c.id order by number desc limit 1) x on true
      group by 1, 2`.execute(transaction);
    for (const row of rows) recorded.set(`${row['n']}\n${row['model']}`, sumsOf(row));

    const compared = spans.map((span, index) => ({ ...span, models: compareSpan(span.usages, recorded, String(index + 1)) }));
    const [first, last] = [spans.at(0), spans.at(-1)];
    const interrupted: KnownCall[] = [];
    if (usages.length > 0 && first && last) {
      const selection = {
        from: new Date(first.fromMs),
        to: new Date(last.toMs),
        providers: [...providers, null],
        outcome: 'interrupted' as const,
      };
      let afterId: string | undefined;
      do {
        const page = await readKnownCalls(transaction, selection, { limit: 1_000, afterId });
        interrupted.push(
          ...page.filter(({ usage, modelAsked }) => usage === undefined && modelsOf(modelAsked ?? '', providers).length > 0),
        );
        afterId = page.length === 1_000 ? page.at(-1)!.id : undefined;
      } while (afterId !== undefined);
    }
    const byId = new Map(interrupted.map((call) => [call.id, call]));
    const { settled, unsettled } = settleInterrupted(
      compared,
      interrupted.map(({ id, startedAt, modelAsked }) => ({
        id,
        startedAtMs: startedAt.getTime(),
        models: modelsOf(modelAsked ?? '', providers),
      })),
      nowMs,
    );
    const corrections = settled.map(({ callId, model, usage }): Correction => {
      const call = byId.get(callId)!;
      const price = model === undefined ? undefined : book.find({ provider: kind, model, at: call.startedAt.getTime() });
      const cost = usage === undefined ? 0 : price && costNanoUsd(usage, price.prices);
      return { call, reason: 'reconciled', source, priceId: price?.id, modelServed: model, costNanoUsd: cost ?? null, tokens: usage };
    });
    return {
      kind,
      format: exported.format,
      truncated: exported.truncated,
      models: byDay(compared, kind, book, recorded),
      days: chargedByDay(costs, compared, recorded),
      settled: settled.map(({ callId, model }, index) => ({ callId, model, costNanoUsd: corrections[index]!.costNanoUsd })),
      unsettled,
      corrected: apply ? await insertCorrections(transaction, corrections, audit) : 0,
    };
  });
}

interface ExportedSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly usages: readonly ExportedUsage[];
}

/** Each span once, oldest first, with what was exported of it. */
function spansOf(entries: readonly { readonly fromMs: number; readonly toMs: number }[]): readonly ExportedSpan[] {
  const spans = new Map<string, { fromMs: number; toMs: number; usages: ExportedUsage[] }>();
  for (const entry of entries) {
    const key = `${entry.fromMs} ${entry.toMs}`;
    const span = spans.get(key) ?? { fromMs: entry.fromMs, toMs: entry.toMs, usages: [] };
    if ('usage' in entry) span.usages.push(entry as ExportedUsage);
    spans.set(key, span);
  }
  return [...spans.values()].toSorted((a, b) => a.fromMs - b.fromMs);
}

function sumsOf(row: Readonly<Record<string, string>>): RecordedSums {
  return {
    calls: Number(row['calls']),
    estimated: Number(row['estimated']),
    nanoUsd: BigInt(row['nano']!),
    usage: {
      ...nothing,
      promptTokens: Number(row['prompt']),
      completionTokens: Number(row['completion']),
      cachedTokens: Number(row['cached']),
      cacheWriteTokens: Number(row['written']),
      cacheWrite1hTokens: Number(row['written_1h']),
    },
  };
}

const nothing: Usage = {
  promptTokens: 0,
  completionTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  source: 'provider',
};

/** Batches are not Holdfast's, which sends none. */
function compareSpan(usages: readonly ExportedUsage[], recorded: ReadonlyMap<string, RecordedSums>, span: string): readonly SpanModel[] {
  const own = usages.filter(({ batch }) => !batch);
  const recordedModels = [...recorded.keys()].filter((key) => key.startsWith(`${span}\n`)).map((key) => key.slice(span.length + 1));
  return [...new Set([...own.map(({ model }) => model), ...recordedModels])].map((model) => {
    const ofModel = own.filter((usage) => usage.model === model);
    const sums = recorded.get(`${span}\n${model}`);
    return {
      model,
      exported: ofModel.reduce((total, { usage }) => add(total, usage), nothing),
      exportedRequests: ofModel.some(({ requests }) => requests === undefined)
        ? undefined
        : ofModel.reduce((total, { requests }) => total + requests!, 0),
      recorded: sums?.usage ?? nothing,
      recordedCalls: sums?.calls ?? 0,
      estimatedCalls: sums?.estimated ?? 0,
    };
  });
}

function add(a: Usage, b: Usage): Usage {
  const sum = (name: keyof Omit<Usage, 'source'>) => (a[name] ?? 0) + (b[name] ?? 0);
  return {
    promptTokens: sum('promptTokens'),
    completionTokens: sum('completionTokens'),
    cachedTokens: sum('cachedTokens'),
    cacheWriteTokens: sum('cacheWriteTokens'),
    cacheWrite1hTokens: sum('cacheWrite1hTokens'),
    reasoningTokens: 0,
    audioPromptTokens: sum('audioPromptTokens'),
    audioCompletionTokens: sum('audioCompletionTokens'),
    imagePromptTokens: sum('imagePromptTokens'),
    imageCompletionTokens: sum('imageCompletionTokens'),
    source: 'provider',
  };
}

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

function byDay(
  spans: readonly Span[],
  kind: string,
  book: PriceBook,
  recorded: ReadonlyMap<string, RecordedSums>,
): readonly ComparedModel[] {
  const rows = new Map<string, ComparedModel>();
  for (const [index, span] of spans.entries()) {
    for (const each of span.models) {
      const day = dayOf(span.fromMs);
      const key = `${day}\n${each.model}`;
      const before = rows.get(key);
      const prices = book.priceOf({ provider: kind, model: each.model, at: span.fromMs });
      // Tiers go by the prompt of one call, and this is the sum of many.
      const cost = prices && costNanoUsd(each.exported, { ...prices, tiers: [] });
      const exportedNanoUsd =
        cost === undefined || (before && before.exportedNanoUsd === undefined) ? undefined : BigInt(cost) + (before?.exportedNanoUsd ?? 0n);
      const requests = before === undefined || before.exportedRequests !== undefined ? each.exportedRequests : undefined;
      rows.set(key, {
        day,
        model: each.model,
        recordedCalls: (before?.recordedCalls ?? 0) + each.recordedCalls,
        exportedRequests: requests === undefined ? undefined : (before?.exportedRequests ?? 0) + requests,
        recorded: add(before?.recorded ?? nothing, each.recorded),
        exported: add(before?.exported ?? nothing, each.exported),
        recordedNanoUsd: (before?.recordedNanoUsd ?? 0n) + (recorded.get(`${index + 1}\n${each.model}`)?.nanoUsd ?? 0n),
        exportedNanoUsd,
      });
    }
  }
  return [...rows.values()].toSorted((a, b) => (a.day + a.model < b.day + b.model ? -1 : 1));
}

function chargedByDay(
  costs: ProviderExport['costs'],
  spans: readonly Span[],
  recorded: ReadonlyMap<string, RecordedSums>,
): ReconcileReport['days'] {
  if (costs.length === 0) return [];
  const days = new Map<string, { recordedNanoUsd: bigint; chargedNanoUsd: bigint }>();
  const at = (day: string) => {
    const found = days.get(day) ?? { recordedNanoUsd: 0n, chargedNanoUsd: 0n };
    days.set(day, found);
    return found;
  };
  for (const { fromMs, nanoUsd } of costs) at(dayOf(fromMs)).chargedNanoUsd += nanoUsd;
  for (const [index, { fromMs }] of spans.entries()) {
    for (const [key, { nanoUsd }] of recorded) if (key.startsWith(`${index + 1}\n`)) at(dayOf(fromMs)).recordedNanoUsd += nanoUsd;
  }
  return [...days].map(([day, sums]) => ({ day, ...sums })).toSorted((a, b) => (a.day < b.day ? -1 : 1));
}

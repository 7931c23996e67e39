import { sql, type Transaction } from 'kysely';
import { firstUuidV7At } from '@holdfast/kit/time';
import type { Usage } from '@holdfast/kit/llm';
import { operatorAtTerminal, type AuditTrail, type NewAuditEvent } from '../../platform/audit/index.ts';
import type { Schema } from '../../platform/postgres/index.ts';

/** A call as it is known now: its row, and what was found out since. */
export interface KnownCall {
  readonly id: string;
  readonly organizationId: string;
  readonly provider: string | null;
  readonly modelAsked: string | null;
  readonly modelServed: string | null;
  readonly outcome: string;
  readonly startedAt: Date;
  /** Undefined where nobody knows what was used. */
  readonly usage: Usage | undefined;
  readonly costNanoUsd: number | null;
  readonly attempts: readonly KnownAttempt[];
  /** How many corrections there are. */
  readonly corrections: number;
}

export interface KnownAttempt {
  readonly provider?: string;
  readonly model?: string;
  readonly outcome?: string;
  /** Of one that was stopped beside the one that answered. */
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
}

export interface CallSelection {
  readonly from: Date;
  readonly to: Date;
  /** Names of providers; undefined for all. Calls that no provider had count where `null` is one of them. */
  readonly providers?: readonly (string | null)[] | undefined;
  readonly outcome?: 'interrupted' | undefined;
}

export interface Correction {
  readonly call: Pick<KnownCall, 'id' | 'organizationId' | 'corrections' | 'costNanoUsd'>;
  readonly reason: 'repriced' | 'reconciled';
  /** What it was found out from. */
  readonly source: string;
  readonly priceId: string | undefined;
  /** By which model a call was served of which it was not known. */
  readonly modelServed?: string | undefined;
  readonly costNanoUsd: number | null;
  /** To be added to what is known; undefined for nothing. */
  readonly tokens?: Usage | undefined;
}

/** A clock that is set back, and a body that took long, move an id away from the start of its call by so much at most. */
const idEarlierMs = 60_000;
const idLaterMs = 3_660_000;

interface Row {
  readonly id: string;
  readonly organization_id: string;
  readonly provider: string | null;
  readonly model_asked: string | null;
  readonly model_served: string | null;
  readonly outcome: string;
  readonly started_at: Date;
  readonly usage_source: Usage['source'] | 'none';
  readonly usage_details: Readonly<Record<string, number>> | null;
  readonly attempts: readonly KnownAttempt[] | null;
  readonly corrections: string;
  readonly reconciled: boolean | null;
  readonly cost: string | null;
  readonly prompt: string;
  readonly completion: string;
  readonly cached: string;
  readonly written: string;
  readonly reasoning: string;
}

/** Calls by their ids, oldest first, from after `afterId` on. */
export async function readKnownCalls(
  transaction: Transaction<Schema>,
  selection: CallSelection,
  page: { readonly limit: number; readonly afterId: string | undefined },
): Promise<readonly KnownCall[]> {
  const { from, to, providers, outcome } = selection;
  const names = providers?.filter((name) => name !== null);
  const ofProviders =
    names === undefined
      ? sql`true`
      : sql`(c.provider = any(${names}::text[]) ${providers!.includes(null) ? sql`or c.provider is null` : sql``})`;
  const { rows } = await sql<Row>`
    select c.id, c.organization_id, c.provider, c.model_asked, coalesce(c.model_served, x.model_served) as model_served, c.outcome, c.started_at, c.usage_source, c.usage_details, c.attempts,
      x.corrections::text, x.reconciled, (case when x.corrections = 0 then c.cost_nano_usd else x.cost end)::text as cost,
      (coalesce(c.prompt_tokens, 0) + x.prompt)::text as prompt, (coalesce(c.completion_tokens, 0) + x.completion)::text as completion,
      (coalesce(c.cached_tokens, 0) + x.cached)::text as cached, (coalesce(c.cache_write_tokens, 0) + x.written)::text as written,
      (coalesce(c.reasoning_tokens, 0) + x.reasoning)::text as reasoning
    from holdfast.calls c cross join lateral (
      select count(*) as corrections, bool_or(reason = 'reconciled') as reconciled, max(model_served) as model_served, (array_agg(cost_nano_usd order by number desc))[1] as cost,
        coalesce(sum(prompt_tokens), 0) as prompt, coalesce(sum(completion_tokens), 0) as completion, coalesce(sum(cached_tokens), 0) as cached,
        coalesce(sum(cache_write_tokens), 0) as written, coalesce(sum(reasoning_tokens), 0) as reasoning
      from holdfast.call_corrections where call_id = c.id) x
    where c.started_at >= ${from} and c.started_at < ${to}
      and c.id >= ${firstUuidV7At(from.getTime() - idEarlierMs)} and c.id < ${firstUuidV7At(to.getTime() + idLaterMs)}
      ${page.afterId === undefined ? sql`` : sql`and c.id > ${page.afterId}`}
      ${outcome === undefined ? sql`` : sql`and c.outcome = ${outcome}`}
      and ${ofProviders}
    order by c.id limit ${page.limit}`.execute(transaction);
  return rows.map(toKnownCall);
}

function toKnownCall(row: Row): KnownCall {
  const unknown = row.outcome === 'interrupted' && row.reconciled !== true;
  const details = row.usage_details ?? {};
  return {
    id: row.id,
    organizationId: row.organization_id,
    provider: row.provider,
    modelAsked: row.model_asked,
    modelServed: row.model_served,
    outcome: row.outcome,
    startedAt: row.started_at,
    costNanoUsd: row.cost === null ? null : Number(row.cost),
    attempts: row.attempts ?? [],
    corrections: Number(row.corrections),
    usage: unknown
      ? undefined
      : {
          promptTokens: Number(row.prompt),
          completionTokens: Number(row.completion),
          cachedTokens: Number(row.cached),
          cacheWriteTokens: Number(row.written),
          reasoningTokens: Number(row.reasoning),
          cacheWrite1hTokens: details['cache_write_1h_tokens'] ?? 0,
          audioPromptTokens: details['audio_prompt_tokens'] ?? 0,
          audioCompletionTokens: details['audio_completion_tokens'] ?? 0,
          imagePromptTokens: details['image_prompt_tokens'] ?? 0,
          imageCompletionTokens: details['image_completion_tokens'] ?? 0,
          source: row.usage_source === 'estimated' ? 'estimated' : 'provider',
        },
  };
}

/**
 * Sets corrections beside rows, and tells the audit log in the same transaction. One that somebody else was faster with is left out; returns how many
 * were written.
 */
export async function insertCorrections(
  transaction: Transaction<Schema>,
  corrections: readonly Correction[],
  audit: Pick<AuditTrail, 'write'>,
): Promise<number> {
  if (corrections.length === 0) return 0;
  const rows = corrections.map(({ call, reason, source, priceId, modelServed, costNanoUsd, tokens }) => ({
    call_id: call.id,
    number: call.corrections + 1,
    organization_id: call.organizationId,
    reason,
    source,
    price_id: priceId ?? null,
    model: modelServed ?? null,
    previous: call.costNanoUsd,
    cost: costNanoUsd,
    prompt: tokens?.promptTokens ?? 0,
    completion: tokens?.completionTokens ?? 0,
    cached: tokens?.cachedTokens ?? 0,
    written: tokens?.cacheWriteTokens ?? 0,
    reasoning: tokens?.reasoningTokens ?? 0,
  }));
  const { rows: written } = await sql<Written>`
    insert into holdfast.call_corrections (call_id, number, organization_id, reason, source, price_id, model_served, previous_cost_nano_usd, cost_nano_usd,
      prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens)
    select call_id, number, organization_id, reason, source, price_id, model, previous, cost, prompt, completion, cached, written, reasoning
    from json_to_recordset(${JSON.stringify(rows)}) as r(call_id uuid, number int, organization_id uuid, reason text, source text, price_id text, model text,
      previous bigint, cost bigint, prompt bigint, completion bigint, cached bigint, written bigint, reasoning bigint)
    on conflict (call_id, number) do nothing returning organization_id, coalesce(cost_nano_usd, 0) - coalesce(previous_cost_nano_usd, 0) as added`.execute(
    transaction,
  );
  if (written.length === 0) return 0;
  const { reason, source } = corrections[0]!;
  await audit.write(transaction, ...eventsOf(written, { reason, source }));
  return written.length;
}

interface Written {
  readonly organization_id: string;
  readonly added: string | number;
}

function eventsOf(written: readonly Written[], why: { readonly reason: string; readonly source: string }): readonly NewAuditEvent[] {
  const sums = new Map<string, { calls: number; added: bigint }>();
  for (const { organization_id, added } of written) {
    const sum = sums.get(organization_id) ?? { calls: 0, added: 0n };
    sum.calls++;
    sum.added += BigInt(added);
    sums.set(organization_id, sum);
  }
  return [...sums].map(([organizationId, { calls, added }]) => ({
    type: 'costs.corrected',
    organizationId,
    by: operatorAtTerminal,
    details: { ...why, calls, added_nano_usd: added.toString() },
  }));
}

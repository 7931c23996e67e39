import {
  exportFault,
  readAmount,
  readCount,
  readMoment,
  type ExportedCost,
  type ExportedUsage,
  type ProviderExport,
  type RawExport,
} from './exported-values.ts';

/**
 * Anthropic's exports. As JSON, pages of `GET /v1/organizations/usage_report/messages` and `…/cost_report`: buckets with `starting_at`, `ending_at` and
 * `results`; amounts are in cents, as decimal text (https://platform.claude.com/docs/en/api/resources/admin/subresources/usage_and_cost). As CSV, the export of the
 * console's page of usage, a line for each day, model and key. Their `uncached` tokens leave out what went through the cache; ours are all that went in.
 */
export function readAnthropicExport(raw: RawExport): ProviderExport | undefined {
  if ('csv' in raw) {
    const [first] = raw.csv;
    if (first === undefined || !('usage_input_tokens_no_cache' in first && 'usage_date_utc' in first)) return undefined;
    return { kind: 'anthropic', format: 'Anthropic, usage (CSV)', usages: raw.csv.map(usageOfLine), costs: [], truncated: false };
  }
  const pages = raw.pages.flatMap((page) => (page['object'] === undefined && Array.isArray(page['data']) ? [page] : []));
  if (pages.length === 0 || pages.length < raw.pages.length) return undefined;
  const usages: ExportedUsage[] = [];
  const costs: ExportedCost[] = [];
  for (const page of pages) {
    for (const bucket of page['data'] as readonly Fields[]) {
      if (!('starting_at' in bucket)) return undefined;
      for (const result of (bucket['results'] ?? []) as readonly Fields[]) {
        if ('amount' in result) costs.push(cost(bucket, result));
        else if ('uncached_input_tokens' in result) usages.push(usage(bucket, result));
        else throw exportFault('a result has neither an amount nor tokens');
      }
    }
  }
  return { kind: 'anthropic', format: 'Anthropic, administration API', usages, costs, truncated: pages.at(-1)!['has_more'] === true };
}

type Fields = Readonly<Record<string, unknown>>;

function usage(bucket: Fields, result: Fields): ExportedUsage {
  const written = (result['cache_creation'] ?? {}) as Fields;
  return {
    fromMs: readMoment(bucket['starting_at'], 'starting_at'),
    toMs: readMoment(bucket['ending_at'], 'ending_at'),
    model: modelOf(result['model']),
    batch: result['service_tier'] === 'batch',
    requests: undefined,
    usage: usageOf({
      plain: readCount(result['uncached_input_tokens'], 'uncached_input_tokens'),
      written5m: readCount(written['ephemeral_5m_input_tokens'], 'ephemeral_5m_input_tokens'),
      written1h: readCount(written['ephemeral_1h_input_tokens'], 'ephemeral_1h_input_tokens'),
      read: readCount(result['cache_read_input_tokens'], 'cache_read_input_tokens'),
      output: readCount(result['output_tokens'], 'output_tokens'),
    }),
  };
}

function usageOfLine(line: Readonly<Record<string, string>>): ExportedUsage {
  const fromMs = readMoment(line['usage_date_utc'], 'usage_date_utc');
  const count = (name: string) => readCount(line[name], name);
  return {
    fromMs,
    toMs: fromMs + 86_400_000,
    model: modelOf(line['model_version']),
    batch: line['usage_type'] === 'batch',
    requests: undefined,
    usage: usageOf({
      plain: count('usage_input_tokens_no_cache'),
      written5m: count('usage_input_tokens_cache_write_5m'),
      written1h: count('usage_input_tokens_cache_write_1h'),
      read: count('usage_input_tokens_cache_read'),
      output: count('usage_output_tokens'),
    }),
  };
}

function usageOf(tokens: {
  readonly plain: number;
  readonly written5m: number;
  readonly written1h: number;
  readonly read: number;
  readonly output: number;
}) {
  const cacheWriteTokens = tokens.written5m + tokens.written1h;
  return {
    promptTokens: tokens.plain + cacheWriteTokens + tokens.read,
    completionTokens: tokens.output,
    cachedTokens: tokens.read,
    cacheWriteTokens,
    cacheWrite1hTokens: tokens.written1h,
    reasoningTokens: 0,
    source: 'provider',
  } as const;
}

function modelOf(model: unknown): string {
  if (typeof model !== 'string' || model === '') throw exportFault('a result names no model: ask for it with group_by[]=model');
  return model;
}

function cost(bucket: Fields, result: Fields): ExportedCost {
  if (result['currency'] !== 'USD') throw exportFault(`costs are in ${String(result['currency'])}, not in USD`);
  const item = result['description'];
  return {
    fromMs: readMoment(bucket['starting_at'], 'starting_at'),
    toMs: readMoment(bucket['ending_at'], 'ending_at'),
    item: typeof item === 'string' && item !== '' ? item : 'everything',
    // Cents.
    nanoUsd: readAmount(result['amount'], 7, 'amount'),
  };
}

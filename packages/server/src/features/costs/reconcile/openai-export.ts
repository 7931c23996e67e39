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
 * OpenAI's exports. As JSON, pages of `GET /v1/organization/usage/completions` (or `/embeddings`) and of `GET /v1/organization/costs`: buckets with
 * `start_time`, `end_time` and `results`
 * (https://developers.openai.com/api/reference/resources/admin/subresources/organization/subresources/usage/methods/completions). As CSV, the export of the usage dashboard, with the same
 * columns in each line, and `amount_value`, `amount_currency` in that of costs. `input_tokens` has the cached ones in it, and the written.
 */
export function readOpenaiExport(raw: RawExport): ProviderExport | undefined {
  if ('csv' in raw) {
    const [first] = raw.csv;
    if (first === undefined || !('start_time' in first)) return undefined;
    // Lines of days without use have nothing but the time.
    if ('amount_value' in first) {
      const lines = raw.csv.filter((line) => line['amount_value'] !== '');
      return {
        kind: 'openai',
        format: 'OpenAI, costs (CSV)',
        usages: [],
        costs: lines.map((line) => cost(line, line, line['amount_value'], line['amount_currency'])),
        truncated: false,
      };
    }
    if (!('input_tokens' in first)) return undefined;
    const lines = raw.csv.filter((line) => line['input_tokens'] !== '');
    return { kind: 'openai', format: 'OpenAI, usage (CSV)', usages: lines.map((line) => usage(line, line)), costs: [], truncated: false };
  }
  const pages = raw.pages.flatMap((page) => (page['object'] === 'page' && Array.isArray(page['data']) ? [page] : []));
  if (pages.length === 0 || pages.length < raw.pages.length) return undefined;
  const usages: ExportedUsage[] = [];
  const costs: ExportedCost[] = [];
  for (const page of pages) {
    for (const bucket of page['data'] as readonly Fields[]) {
      for (const result of (bucket['results'] ?? []) as readonly Fields[]) {
        const { object } = result;
        if (object === 'organization.usage.completions.result' || object === 'organization.usage.embeddings.result')
          usages.push(usage(bucket, result));
        else if (object === 'organization.costs.result') {
          const amount = (result['amount'] ?? {}) as Fields;
          costs.push(cost(bucket, result, amount['value'], amount['currency']));
        } else throw exportFault(`results of ${JSON.stringify(object)} are none of completions, embeddings or costs`);
      }
    }
  }
  return { kind: 'openai', format: 'OpenAI, administration API', usages, costs, truncated: pages.at(-1)!['has_more'] === true };
}

type Fields = Readonly<Record<string, unknown>>;

function usage(bucket: Fields, result: Fields): ExportedUsage {
  const { model } = result;
  if (typeof model !== 'string' || model === '') throw exportFault('a result names no model: ask for it with group_by=model');
  const count = (name: string) => readCount(result[name], name);
  return {
    fromMs: readMoment(bucket['start_time'], 'start_time'),
    toMs: readMoment(bucket['end_time'], 'end_time'),
    model,
    batch: /^true$/i.test(String(result['batch'])),
    requests: result['num_model_requests'] === undefined ? undefined : count('num_model_requests'),
    usage: {
      promptTokens: count('input_tokens'),
      completionTokens: count('output_tokens'),
      cachedTokens: count('input_cached_tokens'),
      cacheWriteTokens: count('input_cache_write_tokens'),
      reasoningTokens: 0,
      audioPromptTokens: count('input_audio_tokens'),
      audioCompletionTokens: count('output_audio_tokens'),
      imagePromptTokens: count('input_image_tokens'),
      imageCompletionTokens: count('output_image_tokens'),
      source: 'provider',
    },
  };
}

function cost(bucket: Fields, result: Fields, value: unknown, currency: unknown): ExportedCost {
  if (String(currency).toLowerCase() !== 'usd') throw exportFault(`costs are in ${String(currency)}, not in usd`);
  const item = result['line_item'];
  return {
    fromMs: readMoment(bucket['start_time'], 'start_time'),
    toMs: readMoment(bucket['end_time'], 'end_time'),
    item: typeof item === 'string' && item !== '' ? item : 'everything',
    nanoUsd: readAmount(value, 9, 'amount'),
  };
}

import { isHoldfastError } from '@holdfast/kit/errors';
import { describe, expect, test } from 'vitest';
import { readExport } from './provider-export.ts';

const page = (results: object[], more: object = {}) =>
  JSON.stringify({
    object: 'page',
    data: [{ object: 'bucket', start_time: 1_730_419_200, end_time: 1_730_505_600, results }],
    has_more: false,
    next_page: null,
    ...more,
  });

describe('OpenAI', () => {
  // The example of the API reference, with a model.
  const result = {
    object: 'organization.usage.completions.result',
    ...{
      input_tokens: 1000,
      output_tokens: 500,
      input_cached_tokens: 800,
      input_audio_tokens: 7,
      output_audio_tokens: 0,
      num_model_requests: 5,
    },
    ...{ project_id: null, user_id: null, api_key_id: null, model: 'gpt-4o-mini-2024-07-18', batch: false, service_tier: null },
  };

  test('pages of the usage API, alone, in an array and a line each', () => {
    for (const text of [page([result]), `[${page([result])}]`, `${page([])}\n${page([result])}\n`]) {
      expect(readExport(text)).toEqual({
        kind: 'openai',
        format: 'OpenAI, administration API',
        truncated: false,
        costs: [],
        usages: [
          {
            fromMs: Date.UTC(2024, 10, 1),
            toMs: Date.UTC(2024, 10, 2),
            model: 'gpt-4o-mini-2024-07-18',
            batch: false,
            requests: 5,
            usage: expect.objectContaining({ promptTokens: 1000, completionTokens: 500, cachedTokens: 800, audioPromptTokens: 7 }),
          },
        ],
      });
    }
    expect(readExport(page([result], { has_more: true })).truncated).toBe(true);
  });

  test('costs of the API, to the nano-dollar, whatever binary fractions made of them', () => {
    const cost = (value: unknown) => ({
      object: 'organization.costs.result',
      amount: { value, currency: 'usd' },
      line_item: 'gpt-4o, input',
      project_id: null,
    });
    const { costs } = readExport(page([cost(0.06), cost('0.8958740000000000'), cost(1e-7), cost('0.12345678949999999')]));
    expect(costs.map(({ nanoUsd }) => nanoUsd)).toEqual([60_000_000n, 895_874_000n, 100n, 123_456_789n]);
    expect(costs[0]!.item).toBe('gpt-4o, input');
  });

  test('the CSV of the dashboard, days without use included, by commas or tabs', () => {
    const csv = [
      'start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens,input_text_tokens,output_text_tokens,input_cached_text_tokens,input_audio_tokens,input_cached_audio_tokens,output_audio_tokens,input_image_tokens,input_cached_image_tokens,output_image_tokens',
      '1759622400,1759708800,2025-10-05T00:00:00+00:00,2025-10-06T00:00:00+00:00,proj_1,10.0,user-1,key_1,gpt-4o-2024-08-06,FALSE,default,59200.0,10646.0,5760.0,53440.0,53440.0,10646.0,5760.0,0.0,0.0,0.0,0.0,0.0,0.0',
      '1759708800,1759795200,2025-10-06T00:00:00+00:00,2025-10-07T00:00:00+00:00,,,,,,,,,,,,,,,,,,,,',
    ].join('\n');
    for (const text of [csv, csv.replaceAll(',', '\t'), `\u{FEFF}${csv.replaceAll('\n', '\r\n')}\r\n`]) {
      const { usages, format } = readExport(text);
      expect(format).toBe('OpenAI, usage (CSV)');
      expect(usages).toHaveLength(1);
      expect(usages[0]).toMatchObject({
        fromMs: Date.UTC(2025, 9, 5),
        requests: 10,
        usage: { promptTokens: 59_200, completionTokens: 10_646, cachedTokens: 5_760 },
      });
    }
    const costs = readExport(
      'start_time,end_time,amount_value,amount_currency,line_item\n1759622400,1759708800,0.5617712500000000,usd,"gpt-4o, ""input"""\n1759708800,1759795200,,,\n',
    );
    expect(costs.costs).toMatchObject([{ nanoUsd: 561_771_250n, item: 'gpt-4o, "input"' }]);
  });
});

describe('Anthropic', () => {
  test('pages of the usage report: what went through the cache is a part of the prompt', () => {
    const text = JSON.stringify({
      data: [
        {
          starting_at: '2025-08-01T00:00:00Z',
          ending_at: '2025-08-02T00:00:00Z',
          results: [
            {
              ...{
                uncached_input_tokens: 1500,
                cache_read_input_tokens: 200,
                output_tokens: 500,
                model: 'claude-opus-4-20250514',
                service_tier: 'standard',
              },
              cache_creation: { ephemeral_1h_input_tokens: 1000, ephemeral_5m_input_tokens: 500 },
              server_tool_use: { web_search_requests: 10 },
              ...{ api_key_id: null, workspace_id: null, context_window: '0-200k' },
            },
          ],
        },
      ],
      has_more: false,
      next_page: null,
    });
    expect(readExport(text)).toMatchObject({
      kind: 'anthropic',
      usages: [
        {
          fromMs: Date.UTC(2025, 7, 1),
          requests: undefined,
          usage: { promptTokens: 3200, cachedTokens: 200, cacheWriteTokens: 1500, cacheWrite1hTokens: 1000, completionTokens: 500 },
        },
      ],
    });
  });

  test('the cost report counts in cents', () => {
    const results = [{ amount: '123.45678', currency: 'USD', description: null, workspace_id: null }];
    const text = JSON.stringify({
      data: [{ starting_at: '2025-08-01T00:00:00Z', ending_at: '2025-08-02T00:00:00Z', results }],
      has_more: false,
    });
    expect(readExport(text).costs).toMatchObject([{ nanoUsd: 1_234_567_800n, item: 'everything' }]);
  });

  test('the CSV of the console', () => {
    const csv =
      'usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo,speed\n' +
      '2026-08-05,claude-opus-5,My key,Default,standard,≤ 200k,46981,15969,0,10,16932,0,global,\n2026-08-05,claude-opus-5,My key,Default,batch,≤ 200k,1,0,0,0,1,0,global,\n';
    const { usages } = readExport(csv);
    expect(usages).toMatchObject([
      {
        fromMs: Date.UTC(2026, 7, 5),
        toMs: Date.UTC(2026, 7, 6),
        batch: false,
        usage: { promptTokens: 62_960, cacheWriteTokens: 15_969, completionTokens: 16_932 },
      },
      { batch: true },
    ]);
  });
});

test.each([
  ['nothing', ''],
  ['another CSV', 'a,b\n1,2\n'],
  ['broken JSON', '{"object": '],
  ['other JSON', '{"data": []}{'],
  ['a number that is none', page([{ object: 'organization.usage.completions.result', model: 'm', input_tokens: -1, output_tokens: 0 }])],
  ['half a token', page([{ object: 'organization.usage.completions.result', model: 'm', input_tokens: 1.5, output_tokens: 0 }])],
  ['a result without a model', page([{ object: 'organization.usage.completions.result', model: null, input_tokens: 1, output_tokens: 0 }])],
  ['another currency', page([{ object: 'organization.costs.result', amount: { value: 1, currency: 'eur' } }])],
  ['other results', page([{ object: 'organization.usage.images.result', images: 1 }])],
  ['a quote that does not end', 'start_time,input_tokens\n"1,2\n'],
])('%s is refused, and nothing of it is compared', (_, text) => {
  try {
    readExport(text);
  } catch (error) {
    return expect(isHoldfastError(error) && error.code).toBe('invalid_request');
  }
  throw new Error('it was taken');
});

import { readShallowBody, type Operation, type Usage } from '@holdfast/kit/llm';
import { costNanoUsd, createPriceBook, type PriceOverrides } from '@holdfast/kit/llm/pricing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimatePromptTokens } from './estimate-prompt.ts';
import { mostCost, type MostCost } from './most-cost.ts';
import { assumedLimit } from './most-use.ts';
import type { Pricing } from './pricing.ts';

const overrides: PriceOverrides = {
  openai: {
    small: { cost: { input: 1, output: 2, cache_read: 0.1, reasoning: 3 }, limit: { context: 100_000, output: 10_000 } },
    tiered: {
      cost: { input: 1, output: 2, tiers: [{ tier: { size: 500 }, input: 2, output: 4, cache_write: 5 }] },
      limit: { context: 1_000_000, output: 5_000 },
    },
    special: {
      cost: { input: 1, output: 10, cache_write: 2, cache_write_1h: 4, input_audio: 30, output_audio: 60 },
      limit: { context: 100_000, output: 10_000 },
    },
    boundless: { cost: { input: 1, output: 1 } },
  },
  anthropic: { dear: { cost: { input: 5, output: 25, cache_read: 0.5, cache_write: 6.25 }, limit: { context: 200_000, output: 64_000 } } },
};
const book = createPriceBook({ overrides });
const pricing: Pricing = {
  costNanoUsd: ({ providerKind, model, usage, at }) => {
    const prices = book.priceOf({ provider: providerKind, model, at });
    return prices === undefined ? null : (costNanoUsd(usage, prices) ?? null);
  },
  priceId: () => undefined,
  boundsOf: ({ providerKind, model, at }) => book.boundsOf({ provider: providerKind, model, at }),
};

interface Asked {
  readonly targets?: readonly string[];
  readonly operation?: Operation;
  readonly hedged?: boolean;
  readonly mostAttempts?: number;
  readonly supports?: (operation: Operation) => boolean;
}

function callOf(body: object, { targets = ['openai/small'], operation = 'chat', hedged = false, mostAttempts = 3, supports }: Asked = {}) {
  return {
    operation,
    body: readShallowBody(Buffer.from(JSON.stringify(body))),
    context: { startedAt: Date.UTC(2026, 9, 1) },
    record: {
      pricing,
      route: {
        hedged,
        mostAttempts,
        targets: targets.map((name) => {
          const [kind, model] = name.split('/') as [string, string];
          return { name, model, provider: { kind, supports: supports ?? (() => true) } };
        }),
      },
    },
  };
}

function known(body: object, asked?: Asked): Extract<MostCost, { known: true }> {
  const most = mostCost(callOf(body, asked));
  if (!most.known) throw new Error(`unknown: ${most.why}`);
  return most;
}

const ask = (content: unknown, more: object = {}) => ({ model: 'm', messages: [{ role: 'user', content }], ...more });
const picture = (url: string) => ({ type: 'image_url', image_url: { url } });

/** Texts of every kind that tokenizers are bad at: each character a token of its own, or several. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.nat(5_000).map((length) => '界'.repeat(length)),
);
/** Often all of it: a bound that is too low shows there. */
const share = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));

const scene = fc.record({
  messages: fc.array(
    fc.tuple(fc.constantFrom('user', 'assistant', 'system'), fc.array(fc.oneof(text, fc.constant(undefined)), { maxLength: 3 })),
    { minLength: 1, maxLength: 4 },
  ),
  maximum: fc.oneof(
    fc.constant({}),
    fc.nat(20_000).map((max_tokens) => ({ max_tokens })),
    fc.nat(20_000).map((max_completion_tokens) => ({ max_completion_tokens })),
  ),
  n: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 5 })),
  tools: fc.array(text, { maxLength: 2 }),
  targets: fc.uniqueArray(fc.constantFrom('openai/small', 'openai/tiered', 'anthropic/dear'), { minLength: 1 }),
  hedged: fc.boolean(),
  shares: fc.record({ prompt: share, completion: share, cached: share, written: share, reasoning: share }),
  losers: fc.nat(4),
});

const outputOf: Readonly<Record<string, number>> = { small: 10_000, tiered: 5_000, dear: 64_000 };

test('no usage that a provider can report within the limits costs more, at whichever target, hedged or not', () => {
  fc.assert(
    fc.property(scene, ({ messages, maximum, n, tools, targets, hedged, shares, losers }) => {
      const pictures = messages.flatMap(([, parts]) => parts).filter((part) => part === undefined).length;
      const body = {
        messages: messages.map(([role, parts]) => ({
          role,
          content: parts.map((part) => (part === undefined ? picture('https://example.com/a.png') : { type: 'text', text: part })),
        })),
        ...maximum,
        ...(n !== undefined && { n }),
        ...(tools.length > 0 && { tools: tools.map((name) => ({ type: 'function', function: { name } })) }),
      };
      const call = callOf(body, { targets, hedged, mostAttempts: 2 * targets.length });
      const most = mostCost(call);
      expect(most.known).toBe(true);
      // A token for each byte of what is said, the most that a picture is, what is put around each message and in front of the tools.
      const said = [...messages.flatMap(([role, parts]) => [role, ...parts.map((part) => part ?? '')]), ...tools].join('');
      const prompt = Buffer.byteLength(said) + pictures * 4_784 + messages.length * 4 + (tools.length > 0 ? 804 : 0);
      for (const name of targets) {
        const [providerKind, model] = name.split('/') as [string, string];
        const allowed =
          'max_tokens' in maximum ? maximum.max_tokens : 'max_completion_tokens' in maximum ? maximum.max_completion_tokens : undefined;
        const completionTokens = Math.round(Math.min(allowed ?? Infinity, outputOf[model]!) * (n ?? 1) * shares.completion);
        const promptTokens = Math.round(prompt * shares.prompt);
        const usage: Usage = {
          promptTokens,
          completionTokens,
          cachedTokens: Math.round(promptTokens * shares.cached),
          cacheWriteTokens: Math.round(promptTokens * shares.written),
          reasoningTokens: Math.round(completionTokens * shares.reasoning),
          source: 'provider',
        };
        const at = call.context.startedAt;
        let cost = pricing.costNanoUsd({ providerKind, model, servedModel: undefined, usage, at })!;
        if (hedged) {
          const lost: Usage = {
            ...usage,
            promptTokens: estimatePromptTokens(call.body),
            completionTokens: 0,
            cachedTokens: 0,
            cacheWriteTokens: 0,
            reasoningTokens: 0,
          };
          cost +=
            Math.min(losers, 2 * targets.length) * pricing.costNanoUsd({ providerKind, model, servedModel: undefined, usage: lost, at })!;
        }
        expect((most as { nanoUsd: number }).nanoUsd).toBeGreaterThanOrEqual(cost);
      }
    }),
    { numRuns: 500 },
  );
});

describe('the answer is bounded', () => {
  test.each<[string, object, number]>([
    ['by what the client allows', { max_tokens: 50 }, 50],
    ['by the larger of two maxima, since providers differ in which they heed', { max_completion_tokens: 60, max_tokens: 70 }, 70],
    ['by the model where the client allows anything', {}, 10_000],
    ['by the model where the client allows more', { max_tokens: 9_999_999 }, 10_000],
    ['by the model where the maximum is none', { max_tokens: -1 }, 10_000],
    ['for each of the answers that were asked for', { max_tokens: 50, n: 3 }, 150],
  ])('%s', (_, more, completion) => {
    expect(known(ask('hi', more))).toMatchObject({ completionTokens: completion, assumed: false });
  });

  test('with what was predicted and may not be taken', () => {
    const prediction = { type: 'content', content: 'x'.repeat(500) };
    expect(known(ask('hi', { max_tokens: 50, prediction })).completionTokens).toBeGreaterThanOrEqual(550);
  });

  test('by an assumption, and says so, where neither the request nor the price book has a limit', () => {
    const targets = ['openai/boundless'];
    expect(known(ask('hi'), { targets })).toMatchObject({ completionTokens: assumedLimit.output, assumed: true });
    expect(known(ask('hi', { max_tokens: 50 }), { targets })).toMatchObject({ completionTokens: 50, assumed: false });
  });
});

describe('the prompt is bounded', () => {
  test('by its bytes, also where they are many to a character', () => {
    const { promptTokens } = known(ask('界'.repeat(1_000)));
    expect(promptTokens).toBeGreaterThanOrEqual(3_000);
    expect(promptTokens).toBeLessThan(3_500);
  });

  test('by what a picture can be, and not by its letters', () => {
    const embedded = known(ask([picture(`data:image/png;base64,${'A'.repeat(1_000_000)}`)]), { targets: ['anthropic/dear'] }).promptTokens;
    expect(embedded).toBeGreaterThanOrEqual(4_784);
    expect(embedded).toBeLessThan(6_000);
    const nested = { type: 'tool_result', content: [{ type: 'image', source: { type: 'base64', data: 'A'.repeat(9_000) } }] };
    expect(known(ask([nested, nested]), { targets: ['anthropic/dear'] }).promptTokens).toBeLessThan(11_000);
  });

  test.each<[string, object]>([
    ['a file by name', ask([{ type: 'file', file: { file_id: 'file-1' } }])],
    ['a document by address', ask([{ type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }])],
    ['a PDF, whose pages may be a few bytes each', ask([{ type: 'document', source: { type: 'base64', data: 'AA==' } }])],
    ['something that is not known', ask([{ type: 'video_url', video_url: { url: 'https://example.com' } }])],
    ['an answer in sound, by its id', { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }],
    ['an earlier conversation', ask('hi', { previous_response_id: 'resp_1' })],
    ['a text that is longer than the model takes', ask('x'.repeat(300_000))],
  ])('by the model alone, of %s', (_, body) => {
    expect(known(body)).toMatchObject({ promptTokens: 100_000, assumed: false });
  });

  test('by the rounds that a provider may go, with tools of its own', () => {
    expect(known(ask('hi', { max_tokens: 5, tools: [{ type: 'web_search_20250305' }] })).promptTokens).toBe(1_000_000);
    expect(known(ask('hi', { tools: [{ type: 'bash_20250124', name: 'bash' }] })).promptTokens).toBeLessThan(3_000);
  });

  test('of embeddings, by its bytes: many texts have the context of the model each', () => {
    const body = { model: 'm', input: Array.from({ length: 1_000 }, () => 'x'.repeat(200)) };
    expect(known(body, { operation: 'embeddings' }).promptTokens).toBeGreaterThan(200_000);
    expect(known(body, { operation: 'embeddings' }).completionTokens).toBe(0);
  });

  test('by a count, where somebody counted, but never above the bound', () => {
    const call = callOf(ask('hello '.repeat(100), { max_tokens: 0 }));
    const byBytes = known(ask('hello '.repeat(100), { max_tokens: 0 }));
    expect(mostCost(call, { promptTokens: 110 })).toMatchObject({ promptTokens: 110, nanoUsd: 110_000 });
    expect(mostCost(call, { promptTokens: 1_000_000 })).toEqual(byBytes);
  });
});

describe('what is dearer than plain text', () => {
  const targets = ['openai/special'];
  const nanoUsd = (body: object) => known(body, { targets }).nanoUsd;
  const perPromptToken = (body: object) => nanoUsd(body) / known(body, { targets }).promptTokens / 1_000;
  const quiet = { max_tokens: 0 };

  test.each<[string, object]>([
    ['a part', ask([{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral', ttl: '1h' } }], quiet)],
    ['a picture', ask([{ ...picture('https://example.com'), cache_control: { type: 'ephemeral', ttl: '1h' } }], quiet)],
    [
      'a part of the system prompt',
      ask('hi', { ...quiet, system: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }] }),
    ],
    ['a tool', ask('hi', { ...quiet, tools: [{ name: 't', cache_control: { type: 'ephemeral', ttl: '1h' } }] })],
    ['the whole request', ask('hi', { ...quiet, cache_control: { type: 'ephemeral', ttl: '1h' } })],
  ])('counts where %s is to be kept for an hour', (_, body) => {
    expect(perPromptToken(body)).toBeGreaterThanOrEqual(4);
  });

  test('counts where there is sound, or may be', () => {
    expect(perPromptToken(ask([{ type: 'input_audio', input_audio: { data: 'AA', format: 'mp3' } }], quiet))).toBe(30);
    expect(nanoUsd(ask('hi', { max_tokens: 100, modalities: ['text', 'audio'] }))).toBeGreaterThanOrEqual(100 * 60_000);
  });

  test('does not count where there is none of it', () => {
    expect(perPromptToken(ask('hi', quiet))).toBe(2);
    expect(perPromptToken(ask([{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral', ttl: '5m' } }], quiet))).toBe(2);
  });
});

describe('the price', () => {
  test('is that of the dearest target that offers the operation', () => {
    const cheap = known(ask('hi', { max_tokens: 100 }), { targets: ['openai/small'] }).nanoUsd;
    const both = known(ask('hi', { max_tokens: 100 }), { targets: ['openai/small', 'anthropic/dear'] }).nanoUsd;
    expect(both).toBe(known(ask('hi', { max_tokens: 100 }), { targets: ['anthropic/dear'] }).nanoUsd);
    expect(both).toBeGreaterThan(cheap);
  });

  test('is unknown when that of one target is, and says of which', () => {
    expect(mostCost(callOf(ask('hi'), { targets: ['openai/small', 'openai/nobody'] }))).toEqual({
      known: false,
      why: 'price_unknown',
      target: 'openai/nobody',
    });
  });

  test('of a target that does not offer the operation does not count, known or not', () => {
    const most = mostCost(callOf(ask('hi'), { targets: ['openai/nobody'], supports: () => false }));
    expect(most).toMatchObject({ known: true, nanoUsd: 0 });
  });

  test('of counting tokens is nothing', () => {
    expect(known(ask('hi'), { operation: 'count_tokens' }).nanoUsd).toBe(0);
  });

  test('with hedging has room for every attempt that may lose', () => {
    const plain = known(ask('hi', { max_tokens: 1 })).nanoUsd;
    expect(known(ask('hi', { max_tokens: 1 }), { hedged: true, mostAttempts: 4 }).nanoUsd - plain).toBe(4 * 2_000);
  });
});

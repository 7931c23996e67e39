import type { UpstreamBehaviour, UpstreamScript } from '@holdfast/kit/testing';
import type { CallOptions } from './scene.ts';

/** One fault, and all that anybody may see of it. Times are milliseconds since the call began. */
export interface Fault {
  readonly name: string;
  /** A model of the scene. */
  readonly model: string;
  readonly call?: CallOptions;
  /** How the upstream answers, by the model that it is asked for. */
  readonly upstream: Readonly<Record<string, UpstreamScript>>;
  readonly client: {
    /** 200 when the answer began, whatever became of it. */
    readonly status: number;
    /** What the SDK raised; absent where it raised nothing. */
    readonly code?: string;
    /** Pieces of the answer that reached the client. 0 of an error. */
    readonly words?: number;
    /** Exactly these headers; undefined for one that must not be there. */
    readonly headers?: Readonly<Record<string, string | undefined>>;
  };
  /** Each request that the upstream saw: whose model, and when. A pair is the earliest and the latest moment. */
  readonly requests: readonly (readonly [model: string, atMs: number | readonly [number, number]])[];
  readonly atMostMs: number;
  /** What stands in the ledger of each attempt. */
  readonly attempts: readonly string[];
  readonly usageSource?: 'provider' | 'estimated' | 'none';
}

const words = 3;
const firm = { 'x-should-retry': 'false' };
const failing = (status: number, others: UpstreamBehaviour = {}): UpstreamBehaviour => ({ kind: 'error', status, ...others });

/** What can go wrong with a provider, and what must become of it. */
export const catalogue: readonly Fault[] = [
  {
    name: '429 with Retry-After in seconds',
    model: 'alone',
    upstream: { one: [failing(429, { retryAfterSeconds: 2 }), {}] },
    client: { status: 200, words, headers: { 'x-holdfast-attempts': '2', 'x-should-retry': undefined } },
    requests: [
      ['one', 0],
      ['one', [2_000, 3_000]],
    ],
    atMostMs: 3_000,
    attempts: ['one provider_rate_limited', 'one completed'],
  },
  {
    name: '429 with Retry-After as a date',
    model: 'alone',
    upstream: { one: [failing(429, { retryAfterDateInSeconds: 4 }), {}] },
    client: { status: 200, words },
    // A date has no fractions of a second.
    requests: [
      ['one', 0],
      ['one', [3_000, 5_000]],
    ],
    atMostMs: 5_000,
    attempts: ['one provider_rate_limited', 'one completed'],
  },
  {
    name: '429 with retry-after-ms',
    model: 'alone',
    upstream: { one: [failing(429, { retryAfterMs: 1_500, retryAfterSeconds: 2 }), {}] },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['one', [1_500, 2_500]],
    ],
    atMostMs: 2_500,
    attempts: ['one provider_rate_limited', 'one completed'],
  },
  {
    name: '429 for ever',
    model: 'alone',
    upstream: { one: failing(429, { retryAfterSeconds: 2 }) },
    client: { status: 429, code: 'provider_rate_limited', headers: { ...firm, 'retry-after': '2', 'x-holdfast-attempts': '3' } },
    requests: [
      ['one', 0],
      ['one', [2_000, 3_000]],
      ['one', [4_000, 7_000]],
    ],
    atMostMs: 7_000,
    attempts: ['one provider_rate_limited', 'one provider_rate_limited', 'one provider_rate_limited'],
    usageSource: 'none',
  },
  {
    name: '429 with a Retry-After that the call cannot wait for',
    model: 'alone',
    upstream: { one: failing(429, { retryAfterSeconds: 3_600 }) },
    client: { status: 429, code: 'provider_rate_limited', headers: { ...firm, 'retry-after': '3600', 'x-holdfast-attempts': '1' } },
    requests: [['one', 0]],
    atMostMs: 0,
    attempts: ['one provider_rate_limited'],
  },
  {
    name: '429 with a long Retry-After where there is another target',
    model: 'pair',
    upstream: { one: failing(429, { retryAfterSeconds: 60 }) },
    client: { status: 200, words, headers: { 'x-holdfast-attempts': '2' } },
    requests: [
      ['one', 0],
      ['two', 0],
    ],
    atMostMs: 0,
    attempts: ['one provider_rate_limited', 'two completed'],
  },
  {
    name: '500 once',
    model: 'alone',
    upstream: { one: [failing(500), {}] },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['one', 1_000],
    ],
    atMostMs: 1_000,
    attempts: ['one provider_failed', 'one completed'],
  },
  {
    name: '503 for ever',
    model: 'alone',
    upstream: { one: failing(503) },
    client: { status: 503, code: 'provider_overloaded', headers: firm },
    requests: [
      ['one', 0],
      ['one', 1_000],
      ['one', 3_000],
    ],
    atMostMs: 3_000,
    attempts: ['one provider_overloaded', 'one provider_overloaded', 'one provider_overloaded'],
  },
  {
    name: '503 for ever where there is another target',
    model: 'pair',
    upstream: { one: failing(503) },
    client: { status: 200, words, headers: { 'x-holdfast-attempts': '4', 'x-holdfast-model': 'two' } },
    requests: [
      ['one', 0],
      ['one', 1_000],
      ['one', 3_000],
      ['two', 3_000],
    ],
    atMostMs: 3_000,
    attempts: ['one provider_overloaded', 'one provider_overloaded', 'one provider_overloaded', 'two completed'],
  },
  {
    name: 'a connection that is reset before the headers',
    model: 'alone',
    call: { stream: false },
    upstream: { one: [{ kind: 'reset' }, {}] },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['one', 1_000],
    ],
    atMostMs: 1_000,
    attempts: ['one stream_cut', 'one completed'],
  },
  {
    name: 'a target that accepts and never answers',
    model: 'alone',
    upstream: { one: { kind: 'silent' } },
    client: { status: 504, code: 'first_token_timeout', headers: firm },
    requests: [['one', 0]],
    atMostMs: 15_000,
    attempts: ['one first_token_timeout'],
  },
  {
    name: 'a target that accepts and never answers, where there is another',
    model: 'pair',
    upstream: { one: { kind: 'silent' } },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['two', 15_000],
    ],
    atMostMs: 15_000,
    attempts: ['one first_token_timeout', 'two completed'],
  },
  {
    name: 'a target that never gives a plain answer, where there is another',
    model: 'pair',
    call: { stream: false },
    upstream: { one: { kind: 'silent' } },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['two', 40_000],
    ],
    atMostMs: 40_000,
    attempts: ['one first_token_timeout', 'two completed'],
  },
  {
    name: 'a first token after 20 s, pings before it, where there is another target',
    model: 'pair',
    upstream: { one: { firstTokenDelayMs: 20_000, pingEveryMs: 3_000 } },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['two', 15_000],
    ],
    atMostMs: 15_000,
    attempts: ['one first_token_timeout', 'two completed'],
  },
  {
    name: 'a first token after 20 s that may take 30',
    model: 'patient',
    upstream: { one: { firstTokenDelayMs: 20_000 } },
    client: { status: 200, words },
    requests: [['one', 0]],
    atMostMs: 20_000,
    attempts: ['one completed'],
  },
  {
    name: 'a stream that is cut after 40 of 60 tokens',
    model: 'alone',
    upstream: { one: { chunks: 60, cutAfter: 41, spacingMs: 20 } },
    client: { status: 200, code: 'stream_cut', words: 40 },
    requests: [['one', 0]],
    atMostMs: 1_000,
    attempts: ['one stream_cut'],
    usageSource: 'estimated',
  },
  {
    name: 'a stream that is cut after 40 of 60 tokens while its beginning is held back',
    model: 'held',
    upstream: { one: [{ chunks: 60, cutAfter: 41 }, { chunks: 60 }] },
    client: { status: 200, words: 60, headers: { 'x-holdfast-attempts': '2' } },
    requests: [
      ['one', 0],
      ['one', 1_000],
    ],
    atMostMs: 1_000,
    attempts: ['one stream_cut', 'one completed'],
  },
  {
    name: 'a stream that is cut once what was held back is out',
    model: 'held',
    upstream: { one: { chunks: 60, cutAfter: 41, spacingMs: 20 } },
    client: { status: 200, code: 'stream_cut', words: 40 },
    requests: [['one', 0]],
    atMostMs: 1_000,
    attempts: ['one stream_cut'],
  },
  {
    name: 'a stream that is cut before its first token',
    model: 'alone',
    upstream: { one: [{ cutAfter: 1 }, {}] },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['one', 1_000],
    ],
    atMostMs: 1_000,
    attempts: ['one stream_cut', 'one completed'],
  },
  {
    name: 'a stream that goes silent',
    model: 'alone',
    upstream: { one: { chunks: 60, silentAfter: 21 } },
    client: { status: 200, code: 'stream_stalled', words: 20 },
    requests: [['one', 0]],
    atMostMs: 10_000,
    attempts: ['one stream_stalled'],
    usageSource: 'estimated',
  },
  {
    name: 'a stream that goes silent before its first token, where there is another target',
    model: 'pair',
    upstream: { one: { silentAfter: 1 } },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['two', 15_000],
    ],
    atMostMs: 15_000,
    attempts: ['one first_token_timeout', 'two completed'],
  },
  {
    name: 'an event that is not JSON in the middle of a stream',
    model: 'alone',
    upstream: { one: { chunks: 10, malformedAfter: 5 } },
    client: { status: 200, code: 'provider_malformed', words: 4 },
    requests: [['one', 0]],
    atMostMs: 0,
    attempts: ['one provider_malformed'],
  },
  {
    name: 'a first event that is not JSON',
    model: 'alone',
    upstream: { one: [{ malformedAfter: 0 }, {}] },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['one', 1_000],
    ],
    atMostMs: 1_000,
    attempts: ['one provider_malformed', 'one completed'],
  },
  {
    name: 'a stream without its end mark',
    model: 'alone',
    upstream: { one: { endMark: false } },
    client: { status: 200, words, headers: { 'x-holdfast-attempts': '1' } },
    requests: [['one', 0]],
    atMostMs: 0,
    attempts: ['one completed'],
  },
  {
    name: 'a prompt that is too long',
    model: 'alone',
    upstream: { one: failing(400, { reason: 'context_length' }) },
    client: { status: 400, code: 'context_length_exceeded', headers: firm },
    requests: [['one', 0]],
    atMostMs: 0,
    attempts: ['one context_length_exceeded'],
  },
  {
    name: 'a prompt that is too long for the first target alone',
    model: 'pair',
    upstream: { one: failing(400, { reason: 'context_length' }) },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['two', 0],
    ],
    atMostMs: 0,
    attempts: ['one context_length_exceeded', 'two completed'],
  },
  {
    name: 'a prompt that the content filter refuses',
    model: 'pair',
    upstream: { one: failing(400, { reason: 'content_filter' }) },
    client: { status: 400, code: 'content_filtered', headers: firm },
    requests: [['one', 0]],
    atMostMs: 0,
    attempts: ['one content_filtered'],
  },
  {
    name: 'a request that is wrong',
    model: 'pair',
    upstream: { one: failing(400) },
    client: { status: 400, code: 'provider_rejected_request', headers: firm },
    requests: [['one', 0]],
    atMostMs: 0,
    attempts: ['one provider_rejected_request'],
  },
  {
    name: 'a fallback that refuses an assistant prefill: what failed first is told',
    model: 'pair',
    call: {
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'Once' },
      ],
    },
    upstream: { one: { kind: 'silent' }, two: failing(400, { reason: 'prefill' }) },
    client: { status: 504, code: 'first_token_timeout', headers: firm },
    requests: [
      ['one', 0],
      ['two', 15_000],
    ],
    atMostMs: 15_000,
    attempts: ['one first_token_timeout', 'two model_unsuited'],
  },
  {
    name: 'a fallback that refuses an assistant prefill before one that takes it',
    model: 'three',
    call: {
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'Once' },
      ],
    },
    upstream: { one: failing(503), two: failing(400, { reason: 'prefill' }) },
    client: { status: 200, words, headers: { 'x-holdfast-model': 'three' } },
    requests: [
      ['one', 0],
      ['one', 1_000],
      ['one', 3_000],
      ['two', 3_000],
      ['three', 3_000],
    ],
    atMostMs: 3_000,
    attempts: ['one provider_overloaded', 'one provider_overloaded', 'one provider_overloaded', 'two model_unsuited', 'three completed'],
  },
  {
    name: 'a fallback of the other dialect',
    model: 'claude',
    upstream: { one: { kind: 'silent' } },
    client: { status: 200, words, headers: { 'x-holdfast-provider': 'claude' } },
    requests: [
      ['one', 0],
      ['two', 15_000],
    ],
    atMostMs: 15_000,
    attempts: ['one first_token_timeout', 'two completed'],
  },
  {
    name: 'an account without credit, and another key',
    model: 'keyed',
    upstream: { one: ({ headers }) => (headers.authorization === 'Bearer sk-bad' ? { kind: 'error', reason: 'quota' } : {}) },
    client: { status: 200, words, headers: { 'x-holdfast-attempts': '2' } },
    requests: [
      ['one', 0],
      ['one', 0],
    ],
    atMostMs: 0,
    attempts: ['one provider_auth_failed', 'one completed'],
  },
  {
    name: 'an account without credit, and another target',
    model: 'pair',
    upstream: { one: { kind: 'error', reason: 'quota' } },
    client: { status: 200, words },
    requests: [
      ['one', 0],
      ['two', 0],
    ],
    atMostMs: 0,
    attempts: ['one provider_auth_failed', 'two completed'],
  },
  {
    name: 'usage that cannot be right',
    model: 'alone',
    upstream: { one: { usage: 'wrong' } },
    client: { status: 200, words },
    requests: [['one', 0]],
    atMostMs: 0,
    attempts: ['one completed'],
    usageSource: 'estimated',
  },
];

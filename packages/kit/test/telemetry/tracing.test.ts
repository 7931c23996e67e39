import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  handOnAnnouncements,
  httpRequestFinished,
  httpRequestHandled,
  runUpkeep,
  type HttpRequestFinished,
  type RequestTrace,
} from '@holdfast/kit/events';
import { callTraced, type CallTraced, type TracedAttempt } from '@holdfast/kit/llm';
import { createTracing, trace, type Span, type Tracing, type TracingNumbers } from '@holdfast/kit/telemetry/tracing';
import { createFakeClock, createSeededRandom, type FakeClock } from '@holdfast/kit/testing';

const caller = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const callerNotSampled = caller.replace(/01$/, '00');

interface Scene {
  readonly clock: FakeClock;
  readonly tracing: Tracing;
  /** What was exported so far, after letting what waits go. */
  spans(): Promise<readonly Span[]>;
}

let stops: (() => void)[] = [];
let clock: FakeClock;
beforeEach(() => {
  clock = createFakeClock();
});
afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
});

function setUp(numbers: Partial<TracingNumbers> = {}): Scene {
  const spans: Span[] = [];
  const exporter = {
    async export(batch: readonly Span[]) {
      spans.push(...batch);
      return { exported: batch.length, rejected: 0, failed: 0 };
    },
    close: async () => {},
  };
  const tracing = createTracing({ exporter, clock, random: createSeededRandom(3), ...numbers });
  stops.push(tracing.listen());
  return {
    clock,
    tracing,
    async spans() {
      await clock.advanceAsync(5_000);
      return spans;
    },
  };
}

function finish(trace: RequestTrace, changes: Partial<HttpRequestFinished> = {}): void {
  httpRequestFinished.publish({
    requestId: 'r-1',
    method: 'POST',
    route: '/v1/chat/completions',
    path: '/v1/chat/completions',
    status: 200,
    latencyMs: 100,
    requestBytes: 10,
    responseBytes: 10,
    client: '203.0.113.7',
    organizationId: 'org',
    keyId: 'key',
    userId: 'user',
    errorCode: undefined,
    errorCategory: undefined,
    notes: undefined,
    trace,
    ...changes,
  } as HttpRequestFinished);
}

const attempt: TracedAttempt = {
  number: 1,
  provider: 'primary',
  providerKind: 'azure',
  model: 'gpt-4o-mini',
  address: 'llm.example.com',
  port: 443,
  outcome: 'completed',
  errorCode: undefined,
  beganAt: 10,
  endedAt: 90,
  firstChunkAt: 40,
  servedModel: 'gpt-4o-mini-2024-07-18',
  responseId: 'chatcmpl-1',
  finishReason: 'stop',
  usage: { promptTokens: 12, completionTokens: 7, cachedTokens: 3, cacheWriteTokens: 0, reasoningTokens: 2, source: 'provider' },
  spanId: undefined,
  answer: undefined,
};

function call(trace: RequestTrace, changes: Partial<CallTraced> = {}): void {
  callTraced.publish({
    trace,
    callId: 'call-1',
    operation: 'chat',
    dialect: 'openai',
    streamed: true,
    organizationId: 'org',
    errorCode: undefined,
    overheadMs: 4,
    costNanoUsd: 1_234,
    body: { model: 'fast', max_tokens: 100, temperature: 1, n: 1, stop: ['mary@example.com'], messages: [{ role: 'user', content: 'hi' }] },
    layers: [{ name: 'ledger.settle', beganAt: 91, endedAt: 95, errorCode: undefined }],
    attempts: [attempt],
    ...changes,
  });
}

describe('a request', () => {
  test('is a tree of spans with the times of what it was made of', async () => {
    const { tracing, spans } = setUp();
    const trace = tracing.begin({ traceparent: caller, tracestate: 'vendor=1' });
    clock.advance(100);
    call(trace);
    finish(trace);
    const [layer, model, root, ...more] = await spans();
    expect(more).toEqual([]);
    const start = Date.UTC(2026, 0, 1);
    expect(root).toMatchObject({
      name: 'POST /v1/chat/completions',
      kind: 'server',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: trace.spanId,
      parentSpanId: 'b7ad6b7169203331',
      hasRemoteParent: true,
      traceState: 'vendor=1',
      startMs: start,
      endMs: start + 100,
      failed: false,
    });
    expect(layer).toMatchObject({
      name: 'holdfast.ledger.settle',
      kind: 'internal',
      parentSpanId: trace.spanId,
      startMs: start + 91,
      endMs: start + 95,
    });
    expect(model).toMatchObject({
      name: 'chat gpt-4o-mini',
      kind: 'client',
      parentSpanId: trace.spanId,
      startMs: start + 10,
      endMs: start + 90,
    });
    expect(model!.attributes).toMatchObject({
      'gen_ai.provider.name': 'azure.ai.openai',
      'gen_ai.request.max_tokens': 100,
      'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
      'gen_ai.response.id': 'chatcmpl-1',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.response.time_to_first_chunk': 0.03,
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 7,
      'gen_ai.usage.cache_read.input_tokens': 3,
      'gen_ai.usage.reasoning.output_tokens': 2,
      'server.address': 'llm.example.com',
    });
    expect(root!.attributes).toMatchObject({
      'holdfast.call_id': 'call-1',
      'holdfast.overhead_ms': expect.closeTo(4),
      'holdfast.cost_nano_usd': 1_234,
    });
  });

  test('says neither who the client is nor what was said, and its path is masked', async () => {
    const { tracing, spans } = setUp();
    const trace = tracing.begin({});
    call(trace);
    finish(trace, { path: '/api/people/mary@example.com', notes: { note: 'mary@example.com' } });
    const text = JSON.stringify(await spans());
    for (const secret of ['203.0.113.7', 'mary@', 'hi"', '"user"']) expect(text).not.toContain(secret);
    expect(text).toContain('/api/people/[email]');
  });

  test('of a hostile caller begins a trace of its own', () => {
    const { tracing } = setUp();
    for (const traceparent of [`${caller}\n`, [caller, caller], {}, 'x'.repeat(1e6), null]) {
      const trace = tracing.begin({ traceparent, tracestate: 'a=1' });
      expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(trace.traceId).not.toBe('0af7651916cd43dd8448eb211c80319c');
    }
  });

  test.each([
    ['link', '0af7651916cd43dd8448eb211c80319c'],
    ['ignore', undefined],
  ] as const)('with incoming: %s has a trace and a sampling decision of its own', async (incoming, linked) => {
    const { tracing, spans } = setUp({ incoming, sampler: 'parentbased_always_on' });
    const trace = tracing.begin({ traceparent: callerNotSampled, tracestate: 'a=1' });
    expect(trace.traceId).not.toBe('0af7651916cd43dd8448eb211c80319c');
    expect(trace.sampled).toBe(true);
    finish(trace);
    const [root] = await spans();
    expect(root).toMatchObject({ parentSpanId: undefined, traceState: undefined });
    expect(root!.link?.traceId).toBe(linked);
  });

  test('that nobody sampled is kept when it ends badly or slowly, whole', async () => {
    const cases: [Partial<HttpRequestFinished>, number, boolean][] = [
      [{}, 4, false],
      [{ status: 401, errorCode: 'key_unknown' }, 4, false],
      [{ status: 429, errorCode: 'rate_limited' }, 4, false],
      [{ status: 499, errorCode: 'client_closed' }, 4, false],
      [{ status: 502, errorCode: 'provider_failed' }, 4, true],
      [{ status: 200, errorCode: 'stream_cut' }, 4, true],
      [{ latencyMs: 10_000 }, 4, true],
      [{ latencyMs: 9_999 }, 499, false],
      [{ latencyMs: 9_999 }, 500, true],
    ];
    for (const [event, overheadMs, kept] of cases) {
      const { tracing, spans } = setUp({ sampler: 'always_off' });
      const trace = tracing.begin({});
      expect(trace.sampled).toBe(false);
      call(trace, { overheadMs });
      finish(trace, event);
      expect((await spans()).length, JSON.stringify([event, overheadMs])).toBe(kept ? 3 : 0);
      stops.pop()!();
    }
  });

  test('that is slow is left alone where the tail is switched off', async () => {
    const { tracing, spans } = setUp({ sampler: 'always_off', tail: false });
    finish(tracing.begin({}), { status: 500, errorCode: 'internal_error' });
    expect(await spans()).toEqual([]);
  });

  test('has no more spans than it may have; those left out are counted', async () => {
    const { tracing, spans } = setUp({ maxSpansPerRequest: 10 });
    const trace = tracing.begin({});
    httpRequestHandled.run({ trace }, () => {
      for (let at = 0; at < 100; at++) tracing.recordQuery({ system: 'redis', operation: 'evalsha', durationMs: 1 });
    });
    finish(trace);
    expect(await spans()).toHaveLength(10);
    expect(tracing.counts.left_out).toBe(91);
  });

  test('whose client left first still has its call', async () => {
    const { tracing, spans } = setUp();
    const trace = tracing.begin({});
    finish(trace, { status: 499, errorCode: 'client_closed' });
    handOnAnnouncements();
    call(trace, { errorCode: 'client_closed', attempts: [{ ...attempt, outcome: 'aborted', errorCode: 'client_closed' }] });
    const made = await spans();
    // What comes late hangs below a root that is there already.
    expect(made.map(({ name }) => name)).toEqual(['POST /v1/chat/completions', 'holdfast.ledger.settle', 'chat gpt-4o-mini']);
    expect(made[0]!.attributes['http.response.status_code']).toBeUndefined();
  });

  test('of another tracing, or of nobody, is none of ours', async () => {
    const { spans } = setUp();
    finish({ traceId: 'a', spanId: 'b', sampled: true, wantsContent: false, newSpanId: () => '' });
    expect(await spans()).toEqual([]);
  });
});

describe('statements', () => {
  test('hang below the request and the function that awaited them, however they are interleaved', async () => {
    const { tracing, spans } = setUp();
    const query = async (operation: string) => {
      await Promise.resolve();
      tracing.recordQuery({ system: 'postgresql', operation, collection: 'keys', text: 'select $1', durationMs: 1 });
    };
    const requests = ['a', 'b'].map(async (name) => {
      const request = tracing.begin({});
      await httpRequestHandled.run({ trace: request }, async () => {
        await query(`outer-${name}`);
        await trace(`work-${name}`, () => query(`inner-${name}`));
      });
      finish(request);
      return request;
    });
    const [a, b] = await Promise.all(requests);
    const made = await spans();
    const named = (name: string) => made.find((span) => span.name === name)!;
    expect(named('outer-a keys')).toMatchObject({ traceId: a!.traceId, parentSpanId: a!.spanId, kind: 'client' });
    expect(named('work-b')).toMatchObject({ traceId: b!.traceId, parentSpanId: b!.spanId });
    expect(named('inner-b keys')).toMatchObject({ traceId: b!.traceId, parentSpanId: named('work-b').spanId });
    expect(named('inner-a keys').attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.operation.name': 'inner-a',
      'db.collection.name': 'keys',
      'db.query.text': 'select $1',
    });
  });

  test('of nobody that is known are traces of their own when they are slow or fail, and nothing otherwise', async () => {
    const { tracing, spans } = setUp();
    tracing.recordQuery({ system: 'postgresql', operation: 'select', durationMs: 499 });
    tracing.recordQuery({ system: 'postgresql', operation: 'insert', durationMs: 500 });
    tracing.recordQuery({ system: 'postgresql', operation: 'update', durationMs: 1, errorCode: '40001' });
    const made = await spans();
    expect(made.map(({ name, failed, parentSpanId }) => [name, failed, parentSpanId])).toEqual([
      ['insert', false, undefined],
      ['update', true, undefined],
    ]);
    expect(made[0]!.traceId).not.toBe(made[1]!.traceId);
  });
});

describe('upkeep', () => {
  test('is a trace of its own, also when its timer was set on the way of a request, with what it waited for', async () => {
    const { tracing, spans } = setUp();
    const request = tracing.begin({});
    let upkeep!: Promise<void>;
    httpRequestHandled.run({ trace: request }, () => {
      upkeep = runUpkeep('holdfast.recovery', async () => {
        await Promise.resolve();
        tracing.recordQuery({ system: 'postgresql', operation: 'delete', collection: 'call_intents', durationMs: 1 });
      });
    });
    await upkeep;
    finish(request);
    const made = await spans();
    const [query, root] = made;
    expect(made.map(({ name }) => name)).toEqual(['delete call_intents', 'holdfast.recovery', 'POST /v1/chat/completions']);
    expect(root).toMatchObject({ parentSpanId: undefined, kind: 'internal' });
    expect(root!.traceId).not.toBe(request.traceId);
    expect(query).toMatchObject({ traceId: root!.traceId, parentSpanId: root!.spanId });
  });

  test('that fails is kept whatever the sampler says', async () => {
    const { spans } = setUp({ sampler: 'always_off' });
    runUpkeep('well', () => 1);
    await expect(runUpkeep('fails', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect((await spans()).map(({ name, failed }) => [name, failed])).toEqual([['fails', true]]);
  });
});

describe('trace(name, fn)', () => {
  test('returns and throws what the function does, at once or later, and its span says so', async () => {
    const { spans } = setUp();
    expect(trace('sync', () => 7)).toBe(7);
    await expect(trace('async', async () => 8)).resolves.toBe(8);
    expect(() =>
      trace('throws', () => {
        throw new RangeError('no');
      }),
    ).toThrow(RangeError);
    await expect(trace('rejects', () => Promise.reject(new TypeError('no')))).rejects.toThrow(TypeError);
    expect((await spans()).map(({ name, failed, attributes }) => [name, failed, attributes['error.type']])).toEqual([
      ['sync', false, undefined],
      ['async', false, undefined],
      ['throws', true, 'RangeError'],
      ['rejects', true, 'TypeError'],
    ]);
  });

  test('takes attributes before and while it runs', async () => {
    const { spans } = setUp();
    trace('work', (span) => span.set('found', 3), { kind: 'nightly' });
    expect((await spans())[0]!.attributes).toEqual({ kind: 'nightly', found: 3 });
  });

  test('costs nothing that can be seen while nobody traces', async () => {
    expect(trace('work', (span) => span.set('found', 3) ?? 9)).toBe(9);
    const promise = Promise.resolve(1);
    expect(trace('work', () => promise)).toBe(promise);
  });

  test('of one that nobody sampled is kept when it fails, with what it did', async () => {
    const { tracing, spans } = setUp({ sampler: 'always_off' });
    trace('well', () => tracing.recordQuery({ system: 'redis', operation: 'ping', durationMs: 1 }));
    try {
      trace('badly', () => {
        tracing.recordQuery({ system: 'redis', operation: 'eval', durationMs: 1 });
        throw new Error('no');
      });
    } catch {
      // As the test has it.
    }
    expect((await spans()).map(({ name }) => name)).toEqual(['eval', 'badly']);
  });
});

describe('content', () => {
  const said = {
    body: {
      messages: [
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'I am mary@example.com' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: '{"key":"sk-proj-abcdefghijklmnopqrstuvwx"}' },
      ],
    },
    attempts: [
      {
        ...attempt,
        answer: [
          Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"Call 4111 1111 "}}]}\n\ndata: {"choices":[{"index":0,"del'),
          Buffer.from(
            'ta":{"content":"1111 1111","tool_calls":[{"index":0,"id":"t1","function":{"name":"pay","arguments":"{\\"to\\":"}}]}}]}\n\n',
          ),
          Buffer.from(
            'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\"bob@example.com\\"}"}}]}}]}\n\ndata: [DONE]\n\n',
          ),
        ],
      },
    ],
  };

  test('is not there until it is switched on', async () => {
    const { tracing, spans } = setUp();
    const trace = tracing.begin({});
    expect(trace.wantsContent).toBe(false);
    call(trace, said);
    finish(trace);
    expect(JSON.stringify(await spans())).not.toMatch(/messages"|Be kind|4111/);
  });

  test('is masked, without pictures, and put together again from the pieces of a stream', async () => {
    const { tracing, spans } = setUp({ captureContent: true });
    const trace = tracing.begin({});
    call(trace, said);
    finish(trace);
    const { attributes } = (await spans()).find(({ kind }) => kind === 'client')!;
    expect(JSON.parse(String(attributes['gen_ai.input.messages']))).toEqual([
      { role: 'system', parts: [{ type: 'text', content: 'Be kind.' }] },
      { role: 'user', parts: [{ type: 'text', content: 'I am [email]' }, { type: 'image_url' }] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: '{"key":"[api_key]"}' }] },
    ]);
    expect(JSON.parse(String(attributes['gen_ai.output.messages']))).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'text', content: 'Call [card]' },
          { type: 'tool_call', id: 't1', name: 'pay', arguments: '{"to":"[email]"}' },
        ],
      },
    ]);
  });

  test('of Anthropic has its system beside it, and blocks as parts', async () => {
    const { tracing, spans } = setUp({ captureContent: true });
    const trace = tracing.begin({});
    call(trace, {
      dialect: 'anthropic',
      streamed: false,
      body: {
        system: 'Be kind.',
        messages: [
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'n', input: { to: 'bob@example.com' } }] },
        ],
      },
      attempts: [{ ...attempt, answer: [Buffer.from('{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"yes"}]}')] }],
    });
    finish(trace);
    const { attributes } = (await spans()).find(({ kind }) => kind === 'client')!;
    expect(JSON.parse(String(attributes['gen_ai.system_instructions']))).toEqual([{ type: 'text', content: 'Be kind.' }]);
    expect(String(attributes['gen_ai.input.messages'])).toContain('{"type":"tool_call","id":"t","name":"n","arguments":{"to":"[email]"}}');
    expect(String(attributes['gen_ai.output.messages'])).toContain('[{"type":"reasoning","content":"hm"},{"type":"text","content":"yes"}]');
  });

  test('of any form costs no trace, and is bounded', async () => {
    const { tracing, spans } = setUp({ captureContent: true });
    const bodies: unknown[] = [
      null,
      7,
      'x',
      [null, 7, { role: null, content: { a: 1 } }],
      Array.from({ length: 5_000 }, () => ({ role: 'user', content: 'x'.repeat(10_000) })),
    ];
    for (const messages of bodies) {
      const trace = tracing.begin({});
      call(trace, {
        body: { messages },
        attempts: [{ ...attempt, answer: [Buffer.from('data: {"choices":[{"delta":null},null]}\n\ndata: {"cho')] }],
      });
      finish(trace);
    }
    const made = await spans();
    expect(made).toHaveLength(3 * bodies.length);
    for (const { attributes } of made) expect(String(attributes['gen_ai.input.messages'] ?? '').length).toBeLessThanOrEqual(32_768);
  });
});

test('what an option cannot be is said', () => {
  const exporter = { export: async () => ({ exported: 0, rejected: 0, failed: 0 }), close: async () => {} };
  const make = (numbers: object) => () => createTracing({ exporter, clock, random: createSeededRandom(1), ...numbers });
  expect(make({ maxQueueSize: 0 })).toThrow('maxQueueSize must be a whole number from 1, not 0');
  expect(make({ slowMs: Number.NaN })).toThrow('slowMs must be milliseconds from 0');
  expect(make({ incoming: 'trust' })).toThrow('incoming must be');
  expect(make({ sampler: 'some' })).toThrow('there is no sampler "some"');
});

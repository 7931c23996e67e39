import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFakeClock } from '../fake-clock.ts';
import type { UpstreamBehaviour } from './behaviour.ts';
import { scriptedText, startScriptedUpstream, type ScriptedUpstream } from './index.ts';

let upstream: ScriptedUpstream;
let openai: OpenAI;
let anthropic: Anthropic;
const messages = [{ role: 'user' as const, content: 'hello' }];

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  openai = new OpenAI({ apiKey: 'sk-test', baseURL: upstream.openaiBaseUrl, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: 'sk-ant-test', baseURL: upstream.url, maxRetries: 0 });
});
afterAll(() => upstream.close());
beforeEach(() => upstream.reset());

function post(behaviour: UpstreamBehaviour | undefined, body: object = {}, path = '/v1/chat/completions'): Promise<Response> {
  if (behaviour) upstream.enqueue(behaviour);
  return fetch(upstream.url + path, { method: 'POST', body: JSON.stringify({ model: 'm', messages, ...body }) });
}

/** What arrived of a body before it broke, and whether it broke. */
async function drain(response: Response): Promise<{ text: string; broken: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const piece of response.body!) {
      text += decoder.decode(piece, { stream: true });
    }
    return { text, broken: false };
  } catch {
    return { text, broken: true };
  }
}

const eventsIn = (text: string): number => text.split('\n\n').filter((event) => event.includes('data:')).length;

describe('proper answers, as the official SDKs read them', () => {
  test('OpenAI: plain, with usage', async () => {
    upstream.script('m', { chunks: 4, cachedTokens: 2 });
    const answer = await openai.chat.completions.create({ model: 'm', messages, n: 2 });
    expect(answer.choices.map((choice) => choice.message.content)).toEqual(Array(2).fill(scriptedText({ chunks: 4 })));
    expect(answer.usage).toMatchObject({
      prompt_tokens: 10,
      completion_tokens: 8,
      total_tokens: 18,
      prompt_tokens_details: { cached_tokens: 2 },
    });
  });

  test('OpenAI: a stream of two choices; usage comes only when it is asked for', async () => {
    upstream.script('m', { choices: 2, chunks: 3 });
    for (const asked of [true, false]) {
      const stream = await openai.chat.completions.create({
        model: 'm',
        messages,
        stream: true,
        ...(asked ? { stream_options: { include_usage: true } } : {}),
      });
      const said = ['', ''];
      const finishes: unknown[] = [];
      const usages: unknown[] = [];
      for await (const chunk of stream) {
        for (const choice of chunk.choices) {
          said[choice.index] += choice.delta.content ?? '';
          if (choice.finish_reason) finishes.push([choice.index, choice.finish_reason]);
        }
        if (chunk.usage) usages.push(chunk.usage.completion_tokens);
      }
      expect(said).toEqual(['word0 word1 word2', 'word0 word1 word2']);
      expect(finishes).toEqual([
        [0, 'stop'],
        [1, 'stop'],
      ]);
      expect(usages).toEqual(asked ? [6] : []);
    }
  });

  test('OpenAI: a tool call, plain and streamed', async () => {
    upstream.script('m', { tool: 'get_weather' });
    const plain = await openai.chat.completions.create({ model: 'm', messages });
    const call = plain.choices[0]!.message.tool_calls![0]!;
    expect(call.type === 'function' && [call.function.name, JSON.parse(call.function.arguments)]).toEqual([
      'get_weather',
      { city: 'Paris' },
    ]);
    const streamed = await openai.chat.completions.stream({ model: 'm', messages }).finalChatCompletion();
    expect(streamed.choices[0]!.message.tool_calls![0]).toMatchObject({ function: { name: 'get_weather', arguments: '{"city":"Paris"}' } });
    expect(streamed.choices[0]!.finish_reason).toBe('tool_calls');
  });

  test('OpenAI: embeddings as the SDK asks for them (base64), and models', async () => {
    const answer = await openai.embeddings.create({ model: 'e', input: ['a', 'b'], dimensions: 4 });
    expect(answer.data.map((item) => item.embedding)).toEqual([
      [1, 0, 0, 0],
      [0, 1, 0, 0],
    ]);
    upstream.script('mine', {});
    expect((await openai.models.list()).data.map((model) => model.id)).toContain('mine');
  });

  test('Anthropic: plain, streamed, tool, count_tokens, models', async () => {
    upstream.script('c', [{ chunks: 2 }, { chunks: 2, cachedTokens: 4 }, { tool: 'get_weather' }, { promptTokens: 77 }]);
    const request = { model: 'c', max_tokens: 100, messages };
    const plain = await anthropic.messages.create(request);
    expect(plain.content).toEqual([{ type: 'text', text: 'word0 word1' }]);
    const streamed = await anthropic.messages.stream(request).finalMessage();
    expect(streamed).toMatchObject({ stop_reason: 'end_turn', usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 2 } });
    const tool = await anthropic.messages.stream(request).finalMessage();
    expect(tool).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } }] });
    expect(await anthropic.messages.countTokens({ model: 'c', messages })).toEqual({ input_tokens: 77 });
    expect((await anthropic.models.list()).data[0]!.type).toBe('model');
  });
});

describe('refusals', () => {
  test.each([
    [{ kind: 'error', reason: 'context_length' }, OpenAI.BadRequestError, { code: 'context_length_exceeded' }],
    [{ kind: 'error', reason: 'content_filter' }, OpenAI.BadRequestError, { code: 'content_filter' }],
    [{ kind: 'error', status: 401 }, OpenAI.AuthenticationError, { code: 'invalid_api_key' }],
    [{ kind: 'error', status: 404 }, OpenAI.NotFoundError, {}],
    [{ kind: 'error', status: 429 }, OpenAI.RateLimitError, {}],
    [{ kind: 'error', status: 500 }, OpenAI.InternalServerError, { status: 500 }],
    [{ kind: 'error', status: 503 }, OpenAI.InternalServerError, { status: 503 }],
  ] as [UpstreamBehaviour, new (...args: never[]) => Error, object][])('OpenAI raises for %j', async (behaviour, type, fields) => {
    upstream.enqueue(behaviour);
    const error: unknown = await openai.chat.completions.create({ model: 'm', messages }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject(fields);
  });

  test('Anthropic raises its own types', async () => {
    upstream.enqueue({ kind: 'error', status: 529 }, { kind: 'error', reason: 'context_length' });
    const ask = () => anthropic.messages.create({ model: 'c', max_tokens: 5, messages }).catch((thrown: unknown) => thrown);
    expect(await ask()).toMatchObject({ status: 529, error: { error: { type: 'overloaded_error' } } });
    expect(await ask()).toMatchObject({ status: 400, error: { error: { type: 'invalid_request_error' } } });
  });

  test('Retry-After comes as seconds, as a date and as milliseconds', async () => {
    const clock = createFakeClock({ nowMs: Date.UTC(2026, 0, 1) });
    await using dated = await startScriptedUpstreamWith(clock);
    const headersOf = async (query: string) =>
      (
        await fetch(`${dated.url}/v1/chat/completions`, {
          method: 'POST',
          body: JSON.stringify({ model: `m?kind=error&status=429&${query}` }),
        })
      ).headers;
    expect((await headersOf('retryAfterSeconds=7')).get('retry-after')).toBe('7');
    expect((await headersOf('retryAfterDateInSeconds=30')).get('retry-after')).toBe('Thu, 01 Jan 2026 00:00:30 GMT');
    expect((await headersOf('retryAfterMs=250')).get('retry-after-ms')).toBe('250');
  });

  test('a body that is not JSON, and a path that does not exist', async () => {
    const bad = await fetch(`${upstream.url}/v1/chat/completions`, { method: 'POST', body: '{' });
    expect(bad.status).toBe(400);
    expect((await fetch(`${upstream.url}/v1/nothing`)).status).toBe(404);
  });
});

async function startScriptedUpstreamWith(clock: ReturnType<typeof createFakeClock>): Promise<ScriptedUpstream & AsyncDisposable> {
  const started = await startScriptedUpstream({ clock });
  return Object.assign(Object.create(started) as ScriptedUpstream, { [Symbol.asyncDispose]: () => started.close() });
}

describe('faults of the connection', () => {
  test('reset: no header arrives', async () => {
    await expect(post({ kind: 'reset' })).rejects.toThrow('fetch failed');
    expect(upstream.calls[0]).toMatchObject({ status: undefined, outcome: 'cut' });
  });

  test('silent: the request is taken, nothing comes, and the log says when the client gave up', async () => {
    const controller = new AbortController();
    upstream.enqueue({ kind: 'silent' });
    const asked = fetch(`${upstream.url}/v1/chat/completions`, { method: 'POST', body: '{"model":"m"}', signal: controller.signal }).catch(
      (error: Error) => error.name,
    );
    await upstream.waitFor((calls) => calls[0]?.model === 'm');
    controller.abort();
    expect(await asked).toBe('AbortError');
    const call = await upstream.waitFor((calls) => calls.find((seen) => seen.outcome === 'client_closed'));
    expect(call.clientClosedAtMs).toBeGreaterThanOrEqual(call.receivedAtMs);
    expect(call.status).toBeUndefined();
  });

  test.each([
    ['close', true],
    ['reset', true],
    ['end', false],
  ] as const)('cut by %s after two events: just those two arrive', async (cutBy, broken) => {
    const result = await drain(await post({ cutAfter: 2, cutBy, chunks: 9 }, { stream: true }));
    expect([eventsIn(result.text), result.broken, result.text.includes('[DONE]')]).toEqual([2, broken, false]);
    expect(upstream.calls[0]).toMatchObject({ eventsSent: 2, outcome: 'cut' });
  });

  test('a plain answer is cut within its body', async () => {
    const response = await post({ cutAfter: 0 });
    expect(response.status).toBe(200);
    expect((await drain(response)).broken).toBe(true);
  });

  test('silent after two events: the connection stays, and pings go on', async () => {
    const response = await post({ silentAfter: 2, pingEveryMs: 1 }, { stream: true });
    const reader = response.body!.getReader();
    let text = '';
    while ((text.match(/: ping/g) ?? []).length < 3) text += new TextDecoder().decode((await reader.read()).value);
    expect(eventsIn(text)).toBe(2);
    expect(upstream.calls[0]!.outcome).toBe('open');
    await reader.cancel();
    await upstream.waitFor((calls) => calls[0]?.outcome === 'client_closed');
  });

  test('an answer whose client left is not called whole', async () => {
    const response = await post({ chunks: 1_000, spacingMs: 2 }, { stream: true });
    await response.body!.cancel();
    const call = await upstream.waitFor((calls) => calls.find((seen) => seen.outcome === 'client_closed'));
    expect(call.eventsSent).toBeLessThan(1_000);
  });
});

describe('faults of the content', () => {
  test('an event that is not JSON stands between good ones', async () => {
    const { text } = await drain(await post({ malformedAfter: 2 }, { stream: true }));
    const events = text.split('\n\n').filter(Boolean);
    const parses = events.map((event) => {
      try {
        JSON.parse(event.slice(6));
        return true;
      } catch {
        return event;
      }
    });
    expect(parses).toEqual([true, true, 'data: {"id":"chatcmpl-scripted","choices":[{"ind', true, true, true, 'data: [DONE]']);
    await expect((await post({ malformedAfter: 0 })).json()).rejects.toThrow(SyntaxError);
  });

  test('HTML, an error inside 200, JSON instead of a stream', async () => {
    const html = await post({ kind: 'html', status: 502 });
    expect([html.status, html.headers.get('content-type'), (await html.text()).startsWith('<!DOCTYPE')]).toEqual([
      502,
      'text/html; charset=utf-8',
      true,
    ]);
    const inside = await post({ kind: 'error_in_answer' });
    expect([inside.status, Object.keys((await inside.json()) as object)]).toEqual([200, ['error']]);
    const streamed = await drain(await post({ kind: 'error_in_answer' }, { stream: true }));
    expect(streamed.text).toMatch(/^data: \{"error":/);
    const anthropicStreamed = await drain(await post({ errorAfter: 2 }, { stream: true }, '/v1/messages'));
    expect(anthropicStreamed.text).toMatch(/event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"/);
    const json = await post({ kind: 'plain_on_stream' }, { stream: true });
    expect(json.headers.get('content-type')).toBe('application/json');
  });

  test('the end mark can be missing, and the usage missing or wrong', async () => {
    const ask = { stream: true, stream_options: { include_usage: true } };
    const noMark = await drain(await post({ endMark: false }, ask));
    expect([noMark.broken, noMark.text.includes('[DONE]'), noMark.text.includes('"finish_reason":"stop"')]).toEqual([false, false, true]);
    expect((await drain(await post({ usage: 'missing' }, ask))).text).not.toContain('usage');
    expect((await drain(await post({ usage: 'wrong' }, ask))).text).toContain('"prompt_tokens":-5');
    const noStop = await drain(await post({ endMark: false }, ask, '/v1/messages'));
    expect(noStop.text).not.toContain('message_stop');
  });

  test('CRLF, comments first, and events split at every byte carry the same answer', async () => {
    const body = { stream: true };
    const plain = (await drain(await post({}, body))).text;
    const crlf = (await drain(await post({ newline: 'crlf' }, body))).text;
    expect(crlf.replaceAll('\r\n', '\n')).toBe(plain);
    expect(crlf).not.toMatch(/[^\r]\n/);
    const pinged = (await drain(await post({ pings: 2 }, body))).text;
    expect(pinged).toBe(`: ping\n\n: ping\n\n${plain}`);
    const text = 'grüß dich 👋';
    upstream.enqueue({ split: 'bytes', text });
    const request = httpRequest(`${upstream.url}/v1/chat/completions`, { method: 'POST' }).end(
      JSON.stringify({ model: 'm', messages, stream: true }),
    );
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => void pieces.push(piece));
    await once(response, 'end');
    expect(Math.max(...pieces.map((piece) => piece.length))).toBe(1);
    expect(Buffer.concat(pieces).toString()).toBe((await drain(await post({ text }, body))).text);
  });

  test('a line of N megabytes is written no faster than it is read, and stops with its reader', async () => {
    const whole = await drain(await post({ kind: 'huge_line', megabytes: 2 }, { stream: true }));
    const longest = Math.max(...whole.text.split('\n').map((line) => line.length));
    expect([longest > 2 * 1024 * 1024, whole.broken, whole.text.endsWith('data: [DONE]\n\n')]).toEqual([true, false, true]);
    const plain = (await (await post({ kind: 'huge_line', megabytes: 1 })).json()) as { choices: { message: { content: string } }[] };
    expect(plain.choices[0]!.message.content).toHaveLength(1024 * 1024);

    const unread = await post({ kind: 'huge_line', megabytes: 200 }, { stream: true });
    await upstream.waitFor((calls) => (calls.at(-1)?.bytesSent ?? 0) > 0);
    await unread.body!.cancel();
    const call = await upstream.waitFor((calls) => calls.find((seen) => seen.outcome === 'client_closed'));
    expect(call.bytesSent).toBeLessThan(100 * 1024 * 1024);
  });
});

describe('the log', () => {
  test('keeps headers and body as they came, the marker and the connection', async () => {
    const raw = '{"model": "m",  "user":"call-7", "messages":[]}';
    await new Promise<void>((resolve, reject) => {
      const socket = connect(upstream.port, '127.0.0.1');
      socket.on('error', reject).on('close', () => resolve());
      socket.end(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-Odd-Case: 1\r\nContent-Length: ${raw.length}\r\n\r\n${raw}`);
      socket.resume();
    });
    const call = upstream.calls[0]!;
    expect(call.body.toString()).toBe(raw);
    expect(call.rawHeaders).toContain('X-Odd-Case');
    expect([call.marker, call.model, call.outcome]).toEqual(['call-7', 'm', 'whole']);
    await post(undefined, { metadata: { user_id: 'call-8' } }, '/v1/messages');
    expect(upstream.calls[1]).toMatchObject({ marker: 'call-8' });
    expect(upstream.calls[1]!.connection).not.toBe(call.connection);
  });

  test('waitFor says what was seen when the wait is over', async () => {
    const clock = createFakeClock();
    await using watched = await startScriptedUpstreamWith(clock);
    await fetch(`${watched.url}/v1/models`);
    const wait = watched.waitFor(() => false, { timeoutMs: 50 });
    clock.advance(50);
    await expect(wait).rejects.toThrow('Not seen at the upstream within 50 ms. Calls: #0 GET /v1/models');
  });

  test('a script may be a list, used up to its last, or a function of the call', async () => {
    upstream.script('list', [{ kind: 'error', status: 500 }, { kind: 'error', status: 503 }, {}]);
    const statuses: number[] = [];
    for (let call = 0; call < 4; call++) statuses.push((await post(undefined, { model: 'list' })).status);
    expect(statuses).toEqual([500, 503, 200, 200]);
    upstream.script('odd', (call) => (call.marker === 'odd' ? { kind: 'error', status: 500 } : {}));
    expect((await post(undefined, { model: 'odd', user: 'odd' })).status).toBe(500);
    expect((await post(undefined, { model: 'odd', user: 'even' })).status).toBe(200);
  });

  test('a model name with a setting that does not exist is shown as a fault of the test, not as an answer', async () => {
    const response = await post(undefined, { model: 'm?cutAftr=3' });
    expect([response.status, await response.text()]).toEqual([599, expect.stringContaining('"cutAftr"')]);
    expect((await post(undefined, { model: 'm?cutBy=magic' })).status).toBe(599);
  });

  test('the record file holds a line for every answered call', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-upstream-'));
    try {
      const recordFile = join(folder, 'calls.jsonl');
      const recording = await startScriptedUpstream({ recordFile });
      const ask = (body: object) =>
        fetch(`${recording.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) }).then(drain, () => undefined);
      const whole = await ask({ model: 'm', user: 'a', stream: true });
      await ask({ model: 'm?cutAfter=2', user: 'b', stream: true });
      await ask({ model: 'm?kind=reset', user: 'c' });
      await recording.close();
      const lines = readFileSync(recordFile, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object);
      expect(lines).toEqual([
        expect.objectContaining({ marker: 'a', status: 200, events: 6, bytes: whole!.text.length, whole: true }),
        expect.objectContaining({ marker: 'b', status: 200, events: 2, whole: false }),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

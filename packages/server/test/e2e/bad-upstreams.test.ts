import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Evidence, expectCommonHeaders, expectError, forgetPeakMemory, metric, peakMemoryMiB } from './support/evidence.ts';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const operatorKey = 'operator-bootstrap-key-0123456789-abcdef';
/** Looks like no known kind of key, as those of one's own servers do. */
const oddKey = 'kenning-7';

/** A provider that writes what it is told, byte for byte. */
let odd: { answer: (response: ServerResponse, request: IncomingMessage) => void; requests: number; readonly url: string; close(): void };
const limits = { connectMs: 1_000, firstTokenMs: 600, stallMs: 500, totalMs: 1_200 };

let gateway: Gateway;
const evidence = new Evidence(() => gateway);

beforeAll(async () => {
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    odd.requests++;
    response.on('error', () => {});
    request.resume().on('end', () => odd.answer(response, request));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  odd = {
    answer: () => {},
    requests: 0,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close().closeAllConnections(),
  };
  gateway = await startGateway({
    env: { HOLDFAST_BOOTSTRAP_KEY: operatorKey, LOG_LEVEL: 'debug' },
    limits: { firstTokenMs: 600, stallMs: 500, totalMs: 20_000 },
    providers: {
      odd: { kind: 'openai', baseUrl: `${odd.url}/v1`, apiKey: oddKey },
      oddclaude: { kind: 'anthropic', baseUrl: `${odd.url}/v1`, apiKey: oddKey },
    },
    models: {
      odd: { targets: ['odd/m'], limits },
      oddclaude: { targets: ['oddclaude/m'], limits },
      brief: { targets: ['primary/gpt-4o-mini'], limits },
    },
  });
});
afterEach(() => {
  gateway.upstream.reset();
  odd.requests = 0;
});
afterAll(async () => {
  await gateway.stop();
  odd.close();
});

/** Calls a model, waits for the row, and returns both. */
async function call(model: string, stream: boolean, path = '/v1/chat/completions') {
  const id = requestId();
  const body = path === '/v1/messages' ? { max_tokens: 9 } : {};
  const answer = await evidence.post(
    path,
    { model, stream, messages: [{ role: 'user', content: 'hi' }], ...body },
    { headers: { 'x-request-id': id } },
  );
  const rows = await gateway.rowsOf(id);
  expect(rows).toHaveLength(1);
  return { answer, row: rows[0]! };
}

const json = (body: unknown) => (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const raw = (bytes: string) => (response: ServerResponse) => void response.socket!.end(Buffer.from(bytes, 'latin1'));
const events =
  (...data: unknown[]) =>
  (response: ServerResponse) =>
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end(data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join(''));
const piece = (content: unknown, finish: unknown = null) => ({
  model: 'm',
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});

describe('a provider that gives no answer', () => {
  test.each([
    ['is down', 'lonely', undefined, 502, 'provider_unreachable'],
    ['resets the connection', 'fast', { kind: 'reset' }, 502, 'stream_cut'],
    ['answers HTML', 'fast', { kind: 'html' }, 502, 'provider_malformed'],
    ['answers HTML with 502', 'fast', { kind: 'html', status: 502 }, 502, 'provider_failed'],
    ['answers 200 with an error inside', 'fast', { kind: 'error_in_answer' }, 502, 'provider_failed'],
    ['cuts its answer', 'fast', { cutAfter: 0 }, 502, 'stream_cut'],
    ['answers what is no JSON', 'fast', { malformedAfter: 0 }, 502, 'provider_malformed'],
    ['never answers', 'brief', { kind: 'silent' }, 504, undefined],
  ] as const)(
    '%s: plain and streamed, the client is told, the row says so, and nothing is in progress',
    async (_what, model, behaviour, status, code) => {
      for (const stream of [false, true]) {
        if (behaviour) gateway.upstream.script('gpt-4o-mini', behaviour);
        const { answer, row } = await call(model, stream);
        const expected = code ?? (stream ? 'first_token_timeout' : 'call_timeout');
        expectError(answer, 'openai', status, expected);
        expect(row).toMatchObject({ outcome: 'failed', error_code: expected, status, streamed: stream });
      }
      await expect.poll(() => metric(gateway, 'holdfast_http_requests_in_progress')).toBe(1);
    },
  );

  test.each([
    ['speaks no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['sends a header bomb', `HTTP/1.1 200 OK\r\n${'x-bomb: 1\r\n'.repeat(20_000)}\r\n`],
    ['promises more than it sends', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{}'],
    ['sends two lengths', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
    ['breaks its chunks', 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['puts a control character into a header', 'HTTP/1.1 200 OK\r\nopenai-version: a\x01b\r\ncontent-length: 2\r\n\r\n{}'],
    ['says nothing and hangs up', ''],
  ])('%s', async (_what, bytes) => {
    odd.answer = raw(bytes);
    for (const stream of [false, true]) {
      const { answer, row } = await call('odd', stream);
      expect(answer.status).toBe(502);
      expect(['stream_cut', 'provider_malformed']).toContain(answer.json.error.code);
      expect(row).toMatchObject({ outcome: 'failed', error_code: answer.json.error.code });
    }
    // It was not asked again behind the client's back.
    expect(odd.requests).toBe(2);
  });

  test.each([301, 307])('redirects (%i): it is not followed, least of all with the key', async (status) => {
    odd.answer = (response) => response.writeHead(status, { location: `${gateway.upstream.openaiBaseUrl}/chat/completions` }).end();
    expectError((await call('odd', false)).answer, 'openai', 502, 'provider_malformed');
    expect(gateway.upstream.calls).toEqual([]);
  });
});

describe('a provider that does not end', () => {
  test.each([
    ['only pings', false, () => ': ping\n\n', 504, 'first_token_timeout'],
    ['pieces without end', true, () => `data: ${JSON.stringify(piece('on and on '))}\n\n`, 200, 'call_timeout'],
    ['a line that does not end', true, () => 'data: aaaaaaaa', 504, 'first_token_timeout'],
  ])('%s are given up at a limit', async (_what, _begins, text, status, code) => {
    let open = true;
    odd.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(text()), 20);
      response.on('close', () => {
        open = false;
        clearInterval(timer);
      });
    };
    const { answer, row } = await call('odd', true);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(`"code":"${code}"`);
    expect(answer.text).not.toContain('[DONE]');
    expect(row).toMatchObject({ outcome: 'failed', error_code: code });
    await expect.poll(() => open).toBe(false);
  });

  test('a plain answer that drips is given up at the total limit', async () => {
    let open = true;
    odd.answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => {
        open = false;
        clearInterval(timer);
      });
    };
    expectError((await call('odd', false)).answer, 'openai', 504, 'call_timeout');
    await expect.poll(() => open).toBe(false);
  });

  test('an answer that is over but for the end of its HTTP is over', async () => {
    odd.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(piece('all'))}\n\ndata: ${JSON.stringify(piece('', 'stop'))}\n\ndata: [DONE]\n\n`);
    };
    const { answer, row } = await call('odd', true);
    expect(answer.text).toContain('data: [DONE]');
    expect(row).toMatchObject({ outcome: 'completed', finish_reason: 'stop' });
  });

  test.each([10, 4_000, 300_000])('answers in an odd but valid form of %i characters: every byte of it comes through', async (length) => {
    // Members twice, blanks, other scripts, invalid UTF-8 within a string: a parser takes it, and who writes it anew would change it.
    const answer = Buffer.concat([
      Buffer.from(` {"a" :"${'模é🦊'.repeat(length)}","a": "`),
      Buffer.from([0xff, 0xc3, 0x28]),
      Buffer.from('","usage":{"prompt_tokens":1,"completion_tokens":1}}\r\n'),
    ]);
    odd.answer = (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    const response = await gateway.fetch('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'odd', messages: [{ role: 'user', content: 'hi' }] }),
    });
    expect(response.headers.get('content-length')).toBe(String(answer.length));
    expect(Buffer.from(await response.arrayBuffer()).equals(answer)).toBe(true);
  });

  test('a hundred megabytes in one line, plain and streamed, from either kind, stay out of the memory', async () => {
    gateway.upstream.script('gpt-4o-mini', { kind: 'huge_line', megabytes: 100 });
    gateway.upstream.script('claude-sonnet-4-5', { kind: 'huge_line', megabytes: 100 });
    forgetPeakMemory(gateway.server.pid);
    for (const [model, path] of [
      ['fast', '/v1/chat/completions'],
      ['smart', '/v1/messages'],
      ['smart', '/v1/chat/completions'],
    ] as const) {
      const { answer, row } = await call(model, true, path);
      expect(row).toMatchObject({ outcome: 'failed', error_code: 'provider_too_large' });
      expect(answer.text.length).toBeLessThan(10_000);
      expect(answer.text).toContain('provider_too_large');
    }
    expect(peakMemoryMiB(gateway.server.pid)).toBeLessThan(400);
    expectError((await call('fast', false)).answer, 'openai', 502, 'provider_too_large');
    expect(peakMemoryMiB(gateway.server.pid)).toBeLessThan(512);
    await gateway.upstream.waitFor((calls) => calls.every((each) => each.outcome === 'client_closed'));
  });

  test('a thousand megabytes of an error are not read', async () => {
    let written = 0;
    odd.answer = (response) => {
      response.writeHead(500, { 'content-type': 'text/plain' });
      const block = Buffer.alloc(1024 * 1024, 'e');
      const more = (): void => {
        while (!response.destroyed && written < 1_000 && ++written && response.write(block));
        if (!response.destroyed && written < 1_000) response.once('drain', more);
      };
      more();
    };
    forgetPeakMemory(gateway.server.pid);
    expectError((await call('odd', false)).answer, 'openai', 502, 'provider_failed');
    expect(written).toBeLessThan(100);
    expect(peakMemoryMiB(gateway.server.pid)).toBeLessThan(512);
  });
});

describe('a provider whose answer has another form than it should', () => {
  const usage = { prompt_tokens: -3, completion_tokens: 1e300, total_tokens: 'many', prompt_tokens_details: { cached_tokens: 2 ** 60 } };

  test.each<[string, unknown]>([
    ['an object for a finish reason', { choices: [{ finish_reason: { a: 1 }, message: { content: 'x' } }], usage }],
    [
      'numbers for texts',
      { model: 7, choices: [{ finish_reason: 7, message: { content: 7, tool_calls: [{ function: { arguments: 7 } }] } }] },
    ],
    ['NUL and surrogates', { model: 'a\0\ud800', choices: [{ finish_reason: '\0\udfff', message: { content: '\0' } }] }],
    ['long names', { model: 'm'.repeat(1_000_000), choices: [{ finish_reason: 'f'.repeat(1_000_000), message: { content: 'x' } }] }],
    ['nothing of what it should have', {}],
    [
      'usage beyond all counts',
      { choices: [], usage: { prompt_tokens: Number.MAX_SAFE_INTEGER, completion_tokens: Number.MAX_SAFE_INTEGER, total_tokens: 1 } },
    ],
  ])('%s: passed on as it is, and the row is stored and can be listed', async (_what, body) => {
    odd.answer = json(body);
    const { answer, row } = await call('odd', false);
    expect([answer.status, row.outcome]).toEqual([200, 'completed']);
    expect(answer.json).toEqual(body);
  });

  test.each<[string, unknown]>([
    ['a list for an answer', [1]],
    ['null for an answer', null],
    ['null for a choice', { choices: [null] }],
    ['no list for tool calls', { choices: [{ message: { tool_calls: 5 } }] }],
  ])('%s is malformed', async (_what, body) => {
    odd.answer = json(body);
    const { answer, row } = await call('odd', false);
    expectError(answer, 'openai', 502, 'provider_malformed');
    expect(row).toMatchObject({ outcome: 'failed', error_code: 'provider_malformed' });
  });

  test('an answer nested a million times is malformed, not the end of the server', async () => {
    odd.answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(`{"a":${'['.repeat(1_000_000)}`);
    expectError((await call('odd', false)).answer, 'openai', 502, 'provider_malformed');
    odd.answer = events(`{"choices":${'['.repeat(1_000_000)}`);
    expectError((await call('odd', true)).answer, 'openai', 502, 'provider_malformed');
  });

  test.each<[string, unknown[]]>([
    ['null for a choice', [piece('a'), { choices: [null] }]],
    ['a number for an event', [piece('a'), 5]],
    ['null for a tool call', [piece('a'), { choices: [{ delta: { tool_calls: [null] } }] }, 'no JSON']],
  ])('a stream with %s ends in an error after what was good', async (_what, data) => {
    const [good, ...bad] = data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`);
    odd.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(good);
      // In one packet with the rest, the error would come before the first byte and be a plain one.
      setTimeout(() => response.end(bad.join('')), 100);
    };
    const { answer, row } = await call('odd', true);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('"code":"provider_malformed"');
    expect(row).toMatchObject({ outcome: 'failed', error_code: 'provider_malformed', usage_source: 'estimated' });
  });

  test.each<[string, unknown[]]>([
    ['odd deltas', [piece(7), piece({ a: 1 }), piece(['x']), piece('x', 'stop'), '[DONE]']],
    ['usage that counts nothing', [piece('x', 'stop'), { choices: [], usage }, '[DONE]']],
    ['a model name of NUL', [{ ...piece('x', 'stop'), model: '\0\ud800' }, '[DONE]']],
  ])('a stream with %s is passed on, and its row can be listed', async (_what, data) => {
    odd.answer = events(...data);
    const { answer, row } = await call('odd', true);
    expect([answer.text.includes('[DONE]'), row.outcome]).toEqual([true, 'completed']);
    expect(row.completion_tokens).toBeGreaterThanOrEqual(0);
  });

  test('Anthropic’s kind is believed no more', async () => {
    const start = {
      type: 'message_start',
      message: { model: { no: 'name' }, usage: { input_tokens: 2 ** 53 - 1, cache_read_input_tokens: 2 ** 53 - 1, output_tokens: 1 } },
    };
    const rest = [
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 5 } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: -4 } },
      { type: 'message_stop' },
    ];
    odd.answer = events(start, ...rest);
    const { row } = await call('oddclaude', true, '/v1/messages');
    expect(row).toMatchObject({ outcome: 'completed', prompt_tokens: Number.MAX_SAFE_INTEGER, completion_tokens: 0 });
    for (const stream of [true, false]) {
      odd.answer = stream ? events(start, ...rest) : json({ type: 'message', content: [null], stop_reason: 5, usage: 'x' });
      const crossed = await call('oddclaude', stream, '/v1/chat/completions');
      expect(['completed', 'failed']).toContain(crossed.row.outcome);
      expect(crossed.answer.text).not.toContain('internal_error');
    }
  });

  test('headers of any byte travel back or are left out, and break nothing', async () => {
    const any = Array.from({ length: 128 }, (_, index) => String.fromCharCode(0x80 + index)).join('');
    for (const stream of [false, true]) {
      const body = stream ? `data: ${JSON.stringify(piece('x', 'stop'))}\n\ndata: [DONE]\n\n` : '{}';
      odd.answer = raw(
        `HTTP/1.1 200 OK\r\ncontent-type: ${stream ? 'text/event-stream' : 'application/json'}\r\nopenai-version: \t${any} \r\nx-request-id: ${any}\r\n` +
          `set-cookie: a=b\r\nserver: odd\r\nx-holdfast-provider: forged\r\naccess-control-allow-origin: *\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      const { answer } = await call('odd', stream);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('openai-version')!.trim()).toBe(any.trim());
      expect([
        answer.headers.get('set-cookie'),
        answer.headers.get('x-holdfast-provider'),
        answer.headers.get('access-control-allow-origin'),
      ]).toEqual([null, 'odd', null]);
      expectCommonHeaders(answer.headers);
    }
  });

  test('a key that it quotes reaches neither the client nor the log', async () => {
    const message = `the key ${oddKey} (also known as sk-upstream-secret) is not good; call 127.0.0.1`;
    for (const status of [400, 401, 404, 429, 500]) {
      odd.answer = (response) =>
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify({ error: { message, type: oddKey, code: oddKey } }));
      expect((await call('odd', false)).answer.status).toBeGreaterThanOrEqual(400);
    }
    for (const first of [[], [piece('x')]]) {
      odd.answer = events(...first, { error: { message, type: oddKey } });
      expect((await call('odd', true)).row.outcome).toBe('failed');
    }
  });
});

test('nothing of all this told a secret', () => {
  evidence.expectClean([operatorKey, oddKey, 'sk-upstream-secret', 'sk-ant-upstream-secret', 'sk-down']);
});

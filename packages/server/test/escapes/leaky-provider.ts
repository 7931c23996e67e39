import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LeakyProvider {
  readonly url: string;
  readonly requests: number;
  close(): void;
}

/** By the name of the model. Each says back what it was sent, prompt and key, as real ones do in part. */
export const leakyModels = [
  'answer',
  'stream',
  'status-400',
  'status-401',
  'status-404',
  'status-429',
  'status-500',
  'html',
  'broken-json',
  'error-in-answer',
  'error-in-stream',
  'broken-event',
  'cut',
  'headers',
] as const;

/** A provider that repeats the whole request, credentials included, in whatever it answers. */
export async function startLeakyProvider(): Promise<LeakyProvider> {
  let requests = 0;
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    requests++;
    response.on('error', () => {});
    let text = '';
    request.setEncoding('utf8').on('data', (data: string) => (text += data));
    request.on('end', () => answer(response, text, `${JSON.stringify(request.headers)} ${text}`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get requests() {
      return requests;
    },
    close: () => server.close().closeAllConnections(),
  };
}

/** `echo` has the credentials as well; the words of a model may not, since nobody could take them out of those. */
function answer(response: ServerResponse, body: string, echo: string): void {
  const { model } = JSON.parse(body) as { model: string };
  const error = { error: { message: `cannot do ${echo}`, type: 'invalid_request_error', code: echo.slice(0, 200), param: echo } };
  const json = (status: number, value: unknown, headers: Record<string, string> = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  const completion = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_795_167_208,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: body }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 },
  };
  const event = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
  const stream = (...events: string[]) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(events.join(''));
  if (model.startsWith('status-'))
    return void json(Number(model.slice(7)), error, { 'x-request-id': 'req-1', 'x-echo': encodeURIComponent(body).slice(0, 4_000) });
  switch (model) {
    case 'stream':
      stream(event(body), event('', 'stop'), 'data: [DONE]\n\n');
      return void response.end();
    case 'html':
      return void response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>${echo}</h1>`);
    case 'broken-json':
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"choices":[{"message":${JSON.stringify(echo)}`);
    case 'error-in-answer':
      return void json(200, error);
    case 'error-in-stream':
      stream(event(body), `data: ${JSON.stringify(error)}\n\n`);
      return void response.end();
    case 'broken-event':
      stream(event(body), `data: {"choices":[${JSON.stringify(echo)}\n\n`);
      return void response.end();
    case 'cut':
      stream(event(body));
      return void setImmediate(() => response.destroy());
    case 'headers':
      return void json(200, completion, {
        'x-request-id': encodeURIComponent(body).slice(0, 300),
        'openai-model': encodeURIComponent(body).slice(0, 300),
      });
    default:
      return void json(200, completion);
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { printWelcome } from '../src/entry/cli/index.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const key = `hf_it's "quoted" $HOME`;

interface Seen {
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** A server that answers either SDK and remembers what it was asked; the lines of the welcome that lead to it. */
async function welcome(): Promise<{ readonly lines: readonly string[]; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      seen.push({ url: request.url, headers: request.headers, body: JSON.parse(text) });
      const answer = request.url?.endsWith('/messages')
        ? {
            id: 'm',
            type: 'message',
            role: 'assistant',
            model: 'x',
            content: [{ type: 'text', text: 'Good day' }],
            stop_reason: 'end_turn',
            usage: { input_tokens: 1, output_tokens: 1 },
          }
        : {
            id: 'c',
            object: 'chat.completion',
            created: 1,
            model: 'x',
            choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Good day' } }],
          };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  let text = '';
  const terminal = { out: (part: string) => (text += part), error: () => {}, interactive: true };
  printWelcome({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, modelName: 'sandbox/demo' }, terminal);
  return { lines: text.split('\n'), seen };
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(0);
  return text;
}

const message = { model: 'sandbox/demo', messages: [{ role: 'user', content: 'Hello' }] };

test.skipIf(process.platform === 'win32')('the curl command works as it stands', async () => {
  const { lines, seen } = await welcome();
  const start = lines.findIndex((line) => line.startsWith('curl '));
  const end = lines.findIndex((line, index) => index >= start && !line.endsWith('\\'));
  const answer = await output('/bin/sh', ['-c', lines.slice(start, end + 1).join('\n')]);
  expect(answer).toContain('Good day');
  expect(seen).toEqual([
    {
      url: '/v1/chat/completions',
      headers: expect.objectContaining({ authorization: `Bearer ${key}`, 'content-type': 'application/json' }),
      body: message,
    },
  ]);
});

test('the line for the OpenAI SDK works as it stands', async () => {
  const { lines, seen } = await welcome();
  const line = lines.find((each) => each.startsWith('import OpenAI'))!;
  expect(await output(process.execPath, ['--input-type=module', '-e', line])).toBe('Good day\n');
  expect(seen).toMatchObject([{ url: '/v1/chat/completions', headers: { authorization: `Bearer ${key}` }, body: message }]);
});

test('the line for the Anthropic SDK works as it stands', async () => {
  const { lines, seen } = await welcome();
  const line = lines.find((each) => each.startsWith('import Anthropic'))!;
  expect(await output(process.execPath, ['--input-type=module', '-e', line])).toBe('Good day\n');
  expect(seen).toMatchObject([{ url: '/v1/messages', body: { ...message, max_tokens: 1024 } }]);
  // Versions of the SDK differ in which of the two they send; the server takes both.
  expect([`Bearer ${key}`, undefined]).toContain(seen[0]!.headers.authorization);
  expect(seen[0]!.headers['x-api-key'] ?? seen[0]!.headers.authorization).toContain(key);
});

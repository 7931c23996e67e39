import { expect, test } from 'vitest';
import { printWelcome } from './index.ts';

function welcome(options: Parameters<typeof printWelcome>[0]): string {
  let text = '';
  printWelcome(options, { out: (part) => (text += part), error: () => {}, interactive: true });
  return text;
}

const options = { url: 'http://127.0.0.1:8080', key: 'hf_0123456789', modelName: 'sandbox/demo' };

test('the curl command goes from the line that begins with it to the first that does not end with a backslash', () => {
  const lines = welcome(options).split('\n');
  const start = lines.findIndex((line) => line.startsWith('curl '));
  const end = lines.findIndex((line, index) => index >= start && !line.endsWith('\\'));
  expect(lines.slice(start, end + 1).join('\n')).toBe(
    [
      `curl -sS 'http://127.0.0.1:8080/v1/chat/completions' \\`,
      `  -H 'authorization: Bearer hf_0123456789' \\`,
      `  -H 'content-type: application/json' \\`,
      `  -d '{"model":"sandbox/demo","messages":[{"role":"user","content":"Hello"}]}'`,
    ].join('\n'),
  );
});

test('there is one line for each SDK', () => {
  const lines = welcome(options).split('\n');
  expect(lines.filter((line) => line.startsWith("import OpenAI from 'openai';"))).toHaveLength(1);
  expect(lines.filter((line) => line.startsWith("import Anthropic from '@anthropic-ai/sdk';"))).toHaveLength(1);
});

test('it says that the sandbox makes things up, only when it is the sandbox', () => {
  expect(welcome({ ...options, sandboxed: true })).toMatch(/made-up text/);
  expect(welcome(options)).not.toMatch(/made-up text/);
});

test('quotes in a key or a name end neither the shell text nor the script text', () => {
  const text = welcome({ ...options, key: `a'b"c\\d` });
  expect(text).toContain(`'authorization: Bearer a'\\''b"c\\d'`);
  expect(text).toContain(`apiKey: 'a\\'b"c\\\\d'`);
});

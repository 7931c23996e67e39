import { processTerminal, type Terminal } from './terminal.ts';

export interface WelcomeOptions {
  /** Where the server listens, without a slash at the end: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The operator's key, which was just made or given. */
  readonly key: string;
  /** A name that the server answers to. */
  readonly modelName: string;
  /** Whether that model is the sandbox, which says made-up things. */
  readonly sandboxed?: boolean;
}

/**
 * Shows the key of the first start, once, and how to make the first call. The curl command is the lines from the one that
 * begins with `curl ` to the first that does not end with a backslash; like the SDK lines it works as it stands.
 */
export function printWelcome(options: WelcomeOptions, terminal: Terminal = processTerminal): void {
  terminal.out(welcomeText(options));
}

export function welcomeText({ url, key, modelName, sandboxed = false }: WelcomeOptions): string {
  const body = JSON.stringify({ model: modelName, messages: [{ role: 'user', content: 'Hello' }] });
  const text = (value: string): string => `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
  const message = `messages: [{ role: 'user', content: 'Hello' }]`;
  const lines = [
    `Holdfast is listening on ${url}`,
    '',
    `Your API key, shown this once: ${key}`,
    '',
    'Make a first call:',
    '',
    `curl -sS ${shellQuote(`${url}/v1/chat/completions`)} \\`,
    `  -H ${shellQuote(`authorization: Bearer ${key}`)} \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d ${shellQuote(body)}`,
    '',
    'Or with the SDKs (Node, an ES module):',
    '',
    `import OpenAI from 'openai'; console.log((await new OpenAI({ baseURL: ${text(`${url}/v1`)}, apiKey: ${text(key)} }).chat.completions.create({ model: ${text(modelName)}, ${message} })).choices[0].message.content);`,
    `import Anthropic from '@anthropic-ai/sdk'; console.log((await new Anthropic({ baseURL: ${text(url)}, apiKey: ${text(key)} }).messages.create({ model: ${text(modelName)}, max_tokens: 1024, ${message} })).content[0].text);`,
    '',
  ];
  if (sandboxed) {
    lines.push(
      'No provider is configured, so the sandbox answers with made-up text. Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or write a holdfast.config.yaml.',
      '',
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Single quotes leave everything alone but themselves. */
function shellQuote(text: string): string {
  return `'${text.replaceAll(`'`, `'\\''`)}'`;
}

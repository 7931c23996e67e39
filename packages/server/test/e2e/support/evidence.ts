import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { anthropicError, errorEnvelope, openaiError } from '@holdfast/contracts';
import { securityHeaders } from '../../../src/entry/http/index.ts';
import type { Gateway } from '../fixture.ts';

/** Stands in every prompt of these tests, and may stand in no log and in no error. */
export const promptMark = 'PROMPT-5f1d-MARK';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when it is no JSON. */
  readonly json: any;
}

/** Sends requests to the server and keeps what it answered, so that the end of a file can look through all of it. */
export class Evidence {
  readonly answers: string[] = [];
  readonly #gateway: () => Gateway;

  constructor(gateway: () => Gateway) {
    this.#gateway = gateway;
  }

  async send(path: string, init: Parameters<Gateway['fetch']>[1] = {}): Promise<Answer> {
    const response = await this.#gateway().fetch(path, init);
    const text = await response.text();
    this.answers.push(`${[...response.headers].join('\n')}\n${text}`);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      // A stream, or nothing.
    }
    return { status: response.status, headers: response.headers, text, json };
  }

  post(path: string, body: unknown, init: Parameters<Gateway['fetch']>[1] = {}): Promise<Answer> {
    return this.send(path, {
      method: 'POST',
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      ...init,
    });
  }

  /** A chat completion; `body` is put over a plain one. */
  chat(model: string, body: object = {}, init: Parameters<Gateway['fetch']>[1] = {}): Promise<Answer> {
    return this.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: promptMark }], ...body }, init);
  }

  /** No secret of the server and nothing of its inside in any answer; no secret and no prompt in its log. */
  expectClean(secrets: readonly string[]): void {
    const { server } = this.#gateway();
    const log = server.output();
    expect(this.answers.length).toBeGreaterThan(0);
    for (const secret of secrets) {
      expect(log.includes(secret), `the log holds ${secret}`).toBe(false);
      for (const answer of this.answers) expect(answer, `an answer holds ${secret}`).not.toContain(secret);
    }
    expect(log).not.toContain(promptMark);
    for (const answer of this.answers) {
      expect(answer).not.toContain(server.folder);
      expect(answer).not.toMatch(/node_modules|\/packages\/|file:\/\/|\bat \w+ \(|insert into|unnest|holdfast\.calls|127\.0\.0\.1:\d/i);
    }
  }
}

export type Shape = 'openai' | 'anthropic' | 'envelope';

/** An error in the shape of its route, with every header that every answer has. */
export function expectError(answer: Answer, shape: Shape, status: number, code: string): void {
  expect([answer.status, codeOf(answer, shape)], answer.text).toEqual([status, code]);
  const schema = { openai: openaiError, anthropic: anthropicError, envelope: errorEnvelope }[shape];
  expect(schema.safeParse(answer.json).error).toBeUndefined();
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  const requestId = shape === 'anthropic' ? answer.json.request_id : answer.json.error.request_id;
  expect(answer.headers.get('x-request-id')).toBe(requestId);
  expectCommonHeaders(answer.headers);
}

export function expectCommonHeaders(headers: Headers): void {
  expect(headers.get('x-request-id')).toBeTruthy();
  for (const [name, value] of Object.entries(securityHeaders)) expect(headers.get(name), name).toBe(value);
}

function codeOf({ json }: Answer, shape: Shape): unknown {
  return shape === 'envelope' ? json?.error?.reason : shape === 'openai' ? json?.error?.code : json?.error?.code;
}

/** Lets the kernel begin anew to note the most memory that a process had. */
export function forgetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The most memory that a process had since then, in MiB. */
export function peakMemoryMiB(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

/** A number of `/metrics`, the sum over all series of that name. */
export async function metric(gateway: Gateway, name: string): Promise<number> {
  const text = await (await gateway.fetch('/metrics', { key: null })).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (lines.length === 0) throw new Error(`/metrics has no ${name}`);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

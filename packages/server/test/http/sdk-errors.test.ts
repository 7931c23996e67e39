import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { errorTraits, type ErrorCode } from '@holdfast/kit/errors';
import { httpRequestFinished } from '@holdfast/kit/events';
import { allCodes, openDoor } from './door.ts';

type ErrorClass = abstract new (...parameters: never[]) => Error;

const openaiClasses: Readonly<Record<number, ErrorClass>> = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  409: OpenAI.ConflictError,
  422: OpenAI.UnprocessableEntityError,
  429: OpenAI.RateLimitError,
};

const anthropicClasses: Readonly<Record<number, ErrorClass>> = {
  400: Anthropic.BadRequestError,
  401: Anthropic.AuthenticationError,
  403: Anthropic.PermissionDeniedError,
  404: Anthropic.NotFoundError,
  409: Anthropic.ConflictError,
  422: Anthropic.UnprocessableEntityError,
  429: Anthropic.RateLimitError,
};

function expectedClass(
  classes: Readonly<Record<number, ErrorClass>>,
  status: number,
  serverError: ErrorClass,
  other: ErrorClass,
): ErrorClass {
  return classes[status] ?? (status >= 500 ? serverError : other);
}

async function failureOf(call: Promise<unknown>): Promise<any> {
  return call.then(
    () => expect.unreachable('the call should have failed'),
    (error: unknown) => error,
  );
}

// Of these nobody is there to read the answer.
const codes = allCodes.filter((code) => code !== 'client_closed');

describe('the OpenAI SDK', () => {
  test('raises its own class for every error of the table', async () => {
    const { url } = await openDoor();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 });
    for (const code of codes) {
      const error = await failureOf(client.chat.completions.create({ model: code, messages: [] }));
      const { status, message } = errorTraits(code);
      expect(error, code).toBeInstanceOf(expectedClass(openaiClasses, status, OpenAI.InternalServerError, OpenAI.APIError));
      expect(error).toMatchObject({ status, code, message: `${status} ${message}` });
      expect(error.requestID).toBe(error.error.request_id);
    }
  });

  test('raises on a stream that breaks after its first piece', async () => {
    const { url } = await openDoor();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 });
    const pieces: string[] = [];
    const error = await failureOf(
      (async () => {
        for await (const chunk of await client.chat.completions.create({ model: 'stream_stalled', messages: [], stream: true })) {
          pieces.push(chunk.choices[0]?.delta.content ?? '');
        }
      })(),
    );
    expect(pieces).toEqual(['Hel']);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ code: 'stream_stalled', message: errorTraits('stream_stalled').message });
  });
});

describe('the Anthropic SDK', () => {
  test('raises its own class for every error of the table', async () => {
    const { url } = await openDoor();
    const client = new Anthropic({ baseURL: url, apiKey: 'x', maxRetries: 0 });
    for (const code of codes) {
      const error = await failureOf(client.messages.create({ model: code, max_tokens: 1, messages: [] }));
      const { status, message } = errorTraits(code);
      expect(error, code).toBeInstanceOf(expectedClass(anthropicClasses, status, Anthropic.InternalServerError, Anthropic.APIError));
      expect(error.status).toBe(status);
      expect(error.error).toMatchObject({ type: 'error', error: { code, message } });
      expect(error.requestID).toBe(error.error.request_id);
    }
  });

  test('raises on a stream that breaks after its first event', async () => {
    const { url } = await openDoor();
    const client = new Anthropic({ baseURL: url, apiKey: 'x', maxRetries: 0 });
    const types: string[] = [];
    const error = await failureOf(
      (async () => {
        for await (const event of await client.messages.create({ model: 'stream_cut', max_tokens: 1, messages: [], stream: true }))
          types.push(event.type);
      })(),
    );
    expect(types).toEqual(['message_start']);
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error.error).toMatchObject({ error: { code: 'stream_cut', type: 'api_error' } });
  });

  test('its helper raises too, instead of giving half a message', async () => {
    const { url } = await openDoor();
    const client = new Anthropic({ baseURL: url, apiKey: 'x', maxRetries: 0 });
    expect(await failureOf(client.messages.stream({ model: 'stream_cut', max_tokens: 1, messages: [] }).finalMessage())).toBeInstanceOf(
      Anthropic.APIError,
    );
  });
});

describe('what cannot succeed is not asked again', () => {
  async function requestsFor(code: ErrorCode): Promise<{ openai: number; anthropic: number }> {
    const { url } = await openDoor();
    let requests = 0;
    const stop = httpRequestFinished.subscribe(() => void requests++);
    // Neither `Retry-After` nor back-off shall be waited for.
    const options = { apiKey: 'x', maxRetries: 1, fetch: withoutRetryAfter };
    await failureOf(new OpenAI({ baseURL: `${url}/v1`, ...options }).chat.completions.create({ model: code, messages: [] }));
    const openai = requests;
    await failureOf(new Anthropic({ baseURL: url, ...options }).messages.create({ model: code, max_tokens: 1, messages: [] }));
    stop();
    return { openai, anthropic: requests - openai };
  }

  const withoutRetryAfter: typeof fetch = async (...parameters) => {
    const answer = await fetch(...parameters);
    const headers = new Headers(answer.headers);
    headers.set('retry-after-ms', '1');
    return new Response(answer.body, { status: answer.status, headers });
  };

  test.each(['provider_auth_failed', 'internal_error', 'conflict', 'provider_too_large'] as const)('%s', async (code) => {
    expect(await requestsFor(code)).toEqual({ openai: 1, anthropic: 1 });
  });

  test.each(['provider_rate_limited', 'provider_overloaded', 'draining', 'server_overloaded'] as const)('but %s may be', async (code) => {
    expect(await requestsFor(code)).toEqual({ openai: 2, anthropic: 2 });
  });
});

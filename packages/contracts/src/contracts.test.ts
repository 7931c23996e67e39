import { errorTable, HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import * as contracts from './index.ts';

const schemas = Object.entries<unknown>(contracts).filter((entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType);

describe('examples', () => {
  const withExamples = schemas.flatMap(([name, schema]) =>
    ((z.globalRegistry.get(schema)?.examples ?? []) as unknown[]).map((example, index) => ({ name, index, schema, example })),
  );

  test('exist for every named body', () => {
    expect(withExamples.length).toBeGreaterThan(15);
  });

  test.each(withExamples)('$name #$index satisfies its own schema', ({ schema, example }) => {
    expect(schema.safeParse(example).error).toBeUndefined();
  });
});

describe('errors', () => {
  const codes = Object.keys(errorTable) as ErrorCode[];
  const context = { requestId: 'r-1', nowMs: 1_795_167_208_114 };

  test.each(codes)('%s has a valid body in all three shapes, with the status of the table', (code) => {
    const error = new HoldfastError(code, { detail: 'secret host 10.0.0.1', retryAfterSeconds: 1.2, cause: new Error('inner') });
    const answers = [
      { answer: contracts.toEnvelope(error, context), schema: contracts.errorEnvelope },
      { answer: contracts.toOpenaiError(error, context), schema: contracts.openaiError },
      { answer: contracts.toAnthropicError(error, context), schema: contracts.anthropicError },
    ];
    for (const { answer, schema } of answers) {
      expect(z.strictObject(schema.shape).safeParse(answer.body).error).toBeUndefined();
      expect(answer.status).toBe(error.status);
      expect(answer.headers['retry-after']).toBe('2');
      expect(answer.headers['x-should-retry']).toBe(error.retryable ? undefined : 'false');
      expect(JSON.stringify(answer)).not.toMatch(/10\.0\.0\.1|inner|stack/);
    }
  });

  test('a reason that a provider gave about the request stands in the message of the dialects', () => {
    const error = new HoldfastError('provider_rejected_request', { details: { provider_message: 'temperature must be ≤ 2' } });
    expect(contracts.toOpenaiError(error, context).body.error.message).toBe('temperature must be ≤ 2');
    expect(contracts.toAnthropicError(error, context).body.error.message).toBe('temperature must be ≤ 2');
    expect(contracts.toEnvelope(error, context).body.error.message).toBe(errorTable.provider_rejected_request.message);
  });

  test('what a provider said is not shown for its own faults', () => {
    const error = new HoldfastError('provider_failed', { details: { provider_message: 'db-7.internal is down' } });
    expect(contracts.toOpenaiError(error, context).body.error.message).toBe(errorTable.provider_failed.message);
  });

  test('the first field at fault is OpenAI’s `param`', () => {
    const error = new HoldfastError('invalid_request', { details: [{ field: 'messages', message: 'Required' }] });
    expect(contracts.toOpenaiError(error, context).body.error.param).toBe('messages');
  });

  test('the error event of a stream is one event, whatever the texts hold', () => {
    const error = new HoldfastError('content_filtered', { details: { provider_message: 'a\n\ndata: [DONE]\n\n' } });
    for (const event of [contracts.toOpenaiStreamError(error, context), contracts.toAnthropicStreamError(error, context)]) {
      expect(event.indexOf('\n\n')).toBe(event.length - 2);
    }
  });
});

describe('money', () => {
  test.each([
    [0, '0.000000000'],
    [1, '0.000000001'],
    [119_400, '0.000119400'],
    [2_500_000_000, '2.500000000'],
    [9_007_199_254_740_993n, '9007199.254740993'],
  ])('%s nano-dollars are %s dollars', (nano, usd) => {
    expect(contracts.formatUsd(nano)).toBe(usd);
  });
});

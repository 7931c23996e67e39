import { auditEventFault, canonicalJson, type CanonicalValue } from '@holdfast/kit/audit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ending, modelCall, newId } from '../../../test/costs/fixture.ts';
import { createReferences } from '../../../test/support/personal-references.ts';
import { callEventBody } from './call-event.ts';

const texts = fc.string({ unit: 'binary', maxLength: 300 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const counts = fc.nat({ max: Number.MAX_SAFE_INTEGER });

/** Whatever a client, a provider and the configuration can make of a call. */
const given = fc.record({
  requestId: fc.stringMatching(/^[A-Za-z0-9._-]{1,128}$/),
  userId: optional(fc.constant(newId())),
  model: texts,
  endUser: optional(texts),
  feature: optional(texts),
  provider: optional(texts),
  servedModel: optional(texts),
  address: optional(fc.ipV4()),
  userAgent: optional(texts),
  outcome: fc.constantFrom('completed' as const, 'failed' as const, 'aborted' as const),
  errorCode: optional(fc.constantFrom('client_closed', 'provider_failed')),
  tokens: optional(fc.tuple(counts, counts)),
  costNanoUsd: fc.option(counts, { nil: null }),
  latencyMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
  attemptsMade: fc.nat({ max: 9 }),
  streamed: fc.boolean(),
  finishedAt: fc.double({ min: 0, max: 4e12, noNaN: true }),
});

const organizationId = newId();

type Given = typeof given extends fc.Arbitrary<infer Value> ? Value : never;

function bodyOf(parts: Given, references = createReferences()) {
  const call = modelCall({
    organizationId,
    ...{ requestId: parts.requestId, userId: parts.userId, model: parts.model, endUser: parts.endUser, feature: parts.feature },
    stream: parts.streamed,
    record: { provider: parts.provider, attemptsMade: parts.attemptsMade },
  });
  const context = { ...call.context, address: parts.address, userAgent: parts.userAgent };
  const [promptTokens, completionTokens] = parts.tokens ?? [];
  const usage = promptTokens === undefined ? undefined : { ...ending().usage!, promptTokens, completionTokens: completionTokens! };
  const { outcome, errorCode, servedModel, costNanoUsd, latencyMs, finishedAt } = parts;
  const end = ending({ outcome, errorCode, servedModel, costNanoUsd, latencyMs, finishedAt, usage });
  return { call, ...callEventBody({ ...call, context }, end, references) };
}

const plain: Given = {
  ...{ requestId: 'r-1', userId: undefined, model: 'fast', endUser: undefined, feature: undefined, provider: 'primary' },
  ...{ servedModel: 'gpt-4o-mini', address: '203.0.113.7', userAgent: 'curl/8', outcome: 'completed', errorCode: undefined },
  ...{ tokens: [9, 4], costNanoUsd: 12_345, latencyMs: 10.5, attemptsMade: 1, streamed: false, finishedAt: 1_795_200_000_123 },
};

describe('the event of a call', () => {
  test('is what canonicalJson writes, and an event, whatever is in the call', () => {
    fc.assert(
      fc.property(given, (parts) => {
        const { body } = bodyOf(parts);
        const event = JSON.parse(body) as CanonicalValue;
        expect(canonicalJson(event)).toBe(body);
        expect(auditEventFault(event)).toBeUndefined();
        // A NUL that JSON escapes is one that jsonb refuses.
        expect(body).not.toContain('\\u0000');
        expect(Buffer.byteLength(body)).toBeLessThan(16_384);
      }),
      { numRuns: 300 },
    );
  });

  test('says who called which model, from where, and how it ended', () => {
    const { call, body, personal } = bodyOf(plain);
    const { organizationId, keyId } = call.context.principal;
    const [ip, userAgent] = personal!;
    expect(JSON.parse(body)).toStrictEqual({
      ...{ v: 1, id: call.id, at: '2026-11-20T18:40:00.123Z', type: 'model.called', outcome: 'success' },
      ...{ organization_id: organizationId, actor: { type: 'key', id: keyId }, resource: { type: 'model', id: 'fast' }, request_id: 'r-1' },
      client: { ip: ip!.ref, user_agent: userAgent!.ref },
      details: {
        ...{ operation: 'chat', dialect: 'openai', outcome: 'completed', status: 200, streamed: false, attempts: 1, latency_ms: 11 },
        ...{ provider: 'primary', model_served: 'gpt-4o-mini', prompt_tokens: 9, completion_tokens: 4, cost_nano_usd: 12_345 },
      },
    });
  });

  test.each([
    ['completed', 'success'],
    ['failed', 'failure'],
    ['aborted', 'failure'],
  ] as const)('of a call that is %s has the outcome %s', (outcome, expected) => {
    expect(JSON.parse(bodyOf({ ...plain, outcome }).body)).toMatchObject({ outcome: expected, details: { outcome } });
  });

  test.each([
    ['fast', 'failed', 'fast'],
    ['openai/gpt-4o-mini', 'completed', 'openai/gpt-4o-mini'],
    ['openai/what a client wrote', 'failed', undefined],
    ['openai/what a client wrote', 'aborted', undefined],
  ] as const)('of a call of %s that is %s names %s', (model, outcome, id) => {
    const references = createReferences();
    const { body, personal } = bodyOf({ ...plain, model, servedModel: model, outcome }, references);
    const event = JSON.parse(body) as { resource: { id?: string }; details: { model?: string; model_served?: string } };
    expect([event.resource.id, event.details.model_served]).toStrictEqual([id, id]);
    const reference = personal!.find(({ ref }) => ref === event.details.model);
    expect(reference && references.reveal(reference.row!)).toBe(id === undefined ? model : undefined);
  });

  test('never says what is personal, and hands out what it refers to until that is durable', () => {
    const references = createReferences();
    const parts = { ...plain, endUser: 'anna@example.org', feature: 'anything' };
    const { body, personal } = bodyOf(parts, references);
    for (const secret of ['203.0.113.7', 'curl/8', 'anna@example.org', 'anything']) expect(body).not.toContain(secret);
    expect(personal!.map(({ row }) => references.reveal(row!))).toStrictEqual(['203.0.113.7', 'curl/8', 'anna@example.org', 'anything']);
    for (const reference of personal!.slice(0, 2)) reference.row = undefined;
    expect(bodyOf(parts, references).personal).toStrictEqual(personal!.slice(2));
  });
});

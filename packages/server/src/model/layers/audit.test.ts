import { HoldfastError } from '@holdfast/kit/errors';
import { expect, test } from 'vitest';
import { createModelCall } from '../../../test/support/model-call.ts';
import type { AttemptResult } from '@holdfast/kit/llm';
import { auditLayer } from './audit.ts';

const refusal = new HoldfastError('model_not_allowed');

test('a refusal waits until it is recorded', async () => {
  const order: string[] = [];
  let durable!: () => void;
  const recorded = new Promise<void>((resolve) => (durable = resolve));
  const layer = auditLayer({ refused: (_call, error) => (order.push(error.code), recorded) });
  const told = layer(() => Promise.reject(refusal))(createModelCall()).catch((error: unknown) => order.push(String(error === refusal)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toStrictEqual(['model_not_allowed']);
  durable();
  await told;
  expect(order).toStrictEqual(['model_not_allowed', 'true']);
});

test('a call that the ledger has settled, and one that went well, is not told of', async () => {
  const layer = auditLayer({ refused: () => expect.unreachable() });
  const settled = { outcome: 'failed', error: refusal, use: undefined, usage: undefined, costNanoUsd: 0 } as const;
  await expect(layer(() => Promise.reject(refusal))(createModelCall({ record: { settled } }))).rejects.toBe(refusal);
  const result = {} as AttemptResult;
  expect(await layer(() => Promise.resolve(result))(createModelCall())).toBe(result);
});

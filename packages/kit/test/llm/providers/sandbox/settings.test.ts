import type { HoldfastError } from '../../../../src/errors/index.ts';
import { createSandboxProvider } from '../../../../src/llm/providers/sandbox/index.ts';
import { describe, expect, test } from 'vitest';
import { start, setUp, ask, failureOf } from './attempts.ts';

describe('settings', () => {
  test.each([
    ['demo?tokns=5', 'tokns'],
    ['demo?tokens=0', 'tokens'],
    ['demo?tokens=many', 'tokens'],
    ['demo?tokens=5&tokens=6', 'given twice'],
    ['demo?status=418', 'status'],
    ['demo?retryAfterS=2', 'needs a status'],
    ['demo?errorRate=2&status=500', 'errorRate'],
    ['demo?silent=yes', 'true or false'],
    ['demo?status=500&reason=content_filter', 'needs the status 400'],
    ['demo?__proto__=1', '__proto__'],
    ['', 'must be a name'],
    ['de mo', 'must be a name'],
    [`demo?${'x'.repeat(2_000)}`, 'longer'],
  ])('a model name with a fault is refused with a reason: %s', async (model, reason) => {
    const started = start(setUp().provider, model);
    const error = (await failureOf(started)) as HoldfastError;
    expect(error.code).toBe('invalid_request');
    expect(JSON.stringify(error.details)).toContain(reason);
    expect(started.sink.calls).toEqual([]);
  });

  test('come from the configuration, then the model, then the name, which wins', async () => {
    const options = { settings: { tokens: 7, usage: 'none' }, models: { short: { tokens: 3, usage: 'reported' } } } as const;
    const tokens = async (model: string) => (await ask(model, {}, options)).usage?.completion_tokens;
    expect(await tokens('other')).toBeUndefined();
    expect(await tokens('other?usage=reported')).toBe(7);
    expect(await tokens('short')).toBe(3);
    expect(await tokens('short?tokens=5')).toBe(5);
  });

  test('of a configuration are refused at construction, all faults in one list', () => {
    const bad = { settings: { latencyMs: -1, colour: 'red' }, models: { a: { retryAfterS: 5 }, b: 7 } } as never;
    expect(() => createSandboxProvider(bad)).toThrowError(
      expect.objectContaining({
        code: 'configuration_invalid',
        details: {
          fields: ['settings.latencyMs', 'settings.colour', 'models.a.retryAfterS', 'models.b'].map((path): unknown =>
            expect.objectContaining({ path }),
          ),
        },
      }),
    );
  });

  test('an object that the caller changes later changes nothing', async () => {
    const settings: { tokens: number } = { tokens: 3 };
    const { provider } = setUp({ settings });
    settings.tokens = 9;
    expect((await start(provider, 'demo').result).usage).toMatchObject({ completionTokens: 3 });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfiguration, printConfiguration } from '../index.ts';

function load(rateLimits: unknown) {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-call-limits-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const file = { providers: { lab: { kind: 'sandbox' } }, models: { fast: { targets: ['lab/demo'], rateLimits } } };
  writeFileSync(path.join(cwd, 'holdfast.config.yaml'), JSON.stringify(file));
  return loadConfiguration({ env: {}, cwd });
}

test('what may be used of a model is as written, and nothing is by itself', () => {
  expect(load({ tokensPerMinute: 90_000, concurrent: 4 }).models[0]!.rateLimits).toEqual({ tokensPerMinute: 90_000, concurrent: 4 });
  for (const nothing of [undefined, null, {}]) expect(load(nothing).models[0]!.rateLimits).toBeUndefined();
  expect(printConfiguration(load({ tokensPerMinute: 90_000 }))).toMatch(
    /^ {4}rateLimits:\n {6}tokensPerMinute: 90000 +# holdfast\.config\.yaml/m,
  );
});

test.each([
  [5, 'models.fast.rateLimits: expected a map such as { tokensPerMinute: 100000 }, received 5.'],
  [{ tokensPerMinute: 0 }, 'models.fast.rateLimits.tokensPerMinute: expected an integer from 1'],
  [{ concurrent: 1.5 }, 'models.fast.rateLimits.concurrent: expected an integer from 1'],
  [{ tokens: 5 }, 'models.fast.rateLimits.tokens: there is no setting tokens.'],
])('a fault is named: %j', (rateLimits, expected) => {
  expect(() => load(rateLimits)).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({
        faults: expect.arrayContaining([
          expect.objectContaining({
            setting: expected.slice(0, expected.indexOf(':')),
            problem: expect.stringContaining(expected.slice(expected.indexOf(':') + 2)),
          }),
        ]),
      }),
    }),
  );
});

import { expect, test } from 'vitest';
import { errorEnvelope, errorReason } from '@holdfast/contracts';
import { errorCategories, errorTraits } from '@holdfast/kit/errors';
import { errorsPage } from '../../../../scripts/reference/errors-page.ts';
import { allCodes, openDoor } from './door.ts';

test('table, types, reference page and HTTP say the same of every error', async () => {
  const { url } = await openDoor();
  const page = errorsPage();
  // The schema of the wire is what clients generate their types from.
  expect([...errorReason.options].sort()).toEqual([...allCodes].sort());
  for (const code of allCodes) {
    const traits = errorTraits(code);
    const answer = await fetch(`${url}/api/errors/${code}`);
    const { error } = errorEnvelope.parse(await answer.json());
    expect(answer.status, code).toBe(traits.status);
    expect(error).toMatchObject({ code: traits.status, reason: code, category: traits.category, message: traits.message, retry_after: 2 });
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(answer.headers.get('x-should-retry')).toBe(traits.retryable ? null : 'false');
    const row = page.split('\n').find((line) => line.startsWith(`| \`${code}\` |`));
    expect(row, code).toBeDefined();
    expect(row).toContain(`| ${traits.status} |`);
    expect(row).toContain(traits.message);
  }
});

test('every category fixes a status and whether another try is worth it', () => {
  for (const [category, traits] of Object.entries(errorCategories)) {
    expect(traits.status, category).toBeGreaterThanOrEqual(400);
    expect(traits.status, category).toBeLessThan(600);
    expect(typeof traits.retryable).toBe('boolean');
    expect(['info', 'warn', 'error']).toContain(traits.logLevel);
  }
});

import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from './secret.ts';

test('no usual way of showing a value shows a secret', () => {
  const secret = new Secret('sk-live');
  const shown = [
    String(secret),
    'text: '.concat(secret as unknown as string),
    JSON.stringify({ secret }),
    inspect(secret, { showHidden: true, depth: 9 }),
    inspect({ deep: [secret] }),
    Object.values({ ...secret }).join(),
    JSON.stringify(Object.entries(secret)),
    structuredCloneText(secret),
  ];
  for (const text of shown) expect(text).not.toContain('sk-live');
  expect(secret.reveal()).toBe('sk-live');
});

function structuredCloneText(value: unknown): string {
  return inspect(structuredClone(value));
}

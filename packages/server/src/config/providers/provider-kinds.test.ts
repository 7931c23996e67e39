import { openaiKinds } from '@holdfast/kit/llm/providers/openai';
import { expect, test } from 'vitest';
import { baseUrlFault, normaliseBaseUrl } from './base-url.ts';
import { allKinds, providerKinds } from './provider-kinds.ts';

test('kinds and addresses are those of the providers that the kit has', () => {
  const { anthropic, ...openai } = providerKinds;
  expect(Object.fromEntries(Object.entries(openai).map(([kind, { baseUrl }]) => [kind, baseUrl]))).toEqual(
    Object.fromEntries(Object.entries(openaiKinds).map(([kind, { baseUrl }]) => [kind, baseUrl])),
  );
  expect(anthropic.baseUrl).toBe('https://api.anthropic.com/v1');
  expect(allKinds).toContain('sandbox');
});

test('every address that is written down here passes the check for those of users', () => {
  for (const { baseUrl } of Object.values(providerKinds)) {
    if (baseUrl === undefined) continue;
    expect(baseUrlFault(baseUrl)).toBeUndefined();
    expect(normaliseBaseUrl(baseUrl)).toBe(baseUrl);
  }
});

test('an address has one spelling', () => {
  expect(normaliseBaseUrl('HTTPS://API.Example.com:443/v1//')).toBe('https://api.example.com/v1');
  expect(normaliseBaseUrl('http://[::1]:9100')).toBe('http://[::1]:9100');
});

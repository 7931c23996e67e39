import { expect, test } from 'vitest';
import { scopeOf } from './audit-scope.ts';

const [own, foreign] = ['019a9c5a-0000-7000-8000-000000000001', '019a9c5a-0000-7000-8000-000000000002'] as const;
const reader = { organizationId: own, scopes: new Set(['audit:read']) };
const operator = { organizationId: own, scopes: new Set(['audit:read', 'operator']) };

test.each([undefined, own, own.toUpperCase()])(
  'a key that asks for %s sees its own organization, as the database shows it to it',
  (asked) => {
    expect(scopeOf(reader, asked)).toEqual({ organizationId: own, asOperator: false });
  },
);

test.each([foreign, 'instance', ''])('for a key of another organization there is no %j', (asked) => {
  expect(() => scopeOf(reader, asked)).toThrow(expect.objectContaining({ code: 'resource_not_found' }) as Error);
});

test.each([
  [undefined, undefined],
  [foreign, foreign],
  ['instance', null],
])('an operator who asks for %s sees it', (asked, organizationId) => {
  expect(scopeOf(operator, asked)).toEqual({ organizationId, asOperator: true });
});

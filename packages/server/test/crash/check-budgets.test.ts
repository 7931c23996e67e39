import { expect, test } from 'vitest';
import { checkBudgets } from './check-budgets.ts';
import { budgetKinds } from './checker.ts';
import type { StoredBudget } from './evidence.ts';

const good: StoredBudget = { name: 'tight', limitNano: 1_000, closedNano: 900, grantedNano: 0, openSlices: 0, ledgerNano: 900 };
const kindsOf = (changes: Partial<StoredBudget>) => checkBudgets([{ ...good, ...changes }]).map(({ kind }) => kind);

test('nothing is found where what is closed is what the ledger says, up to the limit', () => {
  expect(kindsOf({})).toEqual([]);
  expect(kindsOf({ closedNano: 1_000, ledgerNano: 1_000 })).toEqual([]);
});

const cases = [
  ['budget passed', 'by calls', { ledgerNano: 1_001, closedNano: 1_001 }],
  ['budget passed', 'by what is granted', { grantedNano: 101, openSlices: 1 }],
  ['budget leaked', 'something is closed that was not spent', { closedNano: 901 }],
  ['budget leaked', 'a dead instance holds a slice', { openSlices: 1, grantedNano: 10 }],
  ['budget forgot', 'something was spent that is not closed', { closedNano: 899 }],
] as const;

test.each(cases)('a violation is found: %s, %s', (kind, _, changes) => {
  expect(kindsOf(changes)).toContain(kind);
});

test('there is a case for each kind', () => {
  expect(new Set(cases.map(([kind]) => kind))).toEqual(new Set(budgetKinds));
});

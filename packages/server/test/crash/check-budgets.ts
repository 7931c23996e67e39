import type { StoredBudget } from './evidence.ts';
import type { Violation, ViolationKind } from './checker.ts';

/**
 * With nothing running: no hard budget was passed, nothing of it is held back for the dead, and what counts as spent is what the ledger says.
 */
export function checkBudgets(budgets: readonly StoredBudget[]): Violation[] {
  const violations: Violation[] = [];
  for (const budget of budgets) {
    const { name, limitNano, closedNano, grantedNano, openSlices, ledgerNano } = budget;
    const report = (kind: ViolationKind, detail: string) => void violations.push({ kind, marker: name, detail });
    if (ledgerNano > limitNano || closedNano + grantedNano > limitNano)
      report('budget passed', `${ledgerNano} by the ledger, ${closedNano} closed and ${grantedNano} granted, of ${limitNano}`);
    if (closedNano > ledgerNano || openSlices > 0)
      report('budget leaked', `${closedNano} closed and ${openSlices} slices held, ${ledgerNano} by the ledger`);
    if (closedNano < ledgerNano && openSlices === 0) report('budget forgot', `${closedNano} closed, ${ledgerNano} by the ledger`);
  }
  return violations;
}

import { formatUsd, type BudgetBody } from '@holdfast/contracts';
import type { BudgetStanding } from './budget-administration.ts';

/** As the API shows it. */
export function toBudgetBody({ budget, ...window }: BudgetStanding): BudgetBody {
  const total = budget.period === 'total';
  return {
    id: budget.id,
    organization_id: budget.organizationId,
    name: budget.name,
    subject: budget.subject,
    subject_id: budget.subjectIds[0]!,
    period: budget.period,
    enforcement: budget.enforcement,
    limit_nano_usd: budget.limitNanoUsd,
    limit_usd: formatUsd(budget.limitNanoUsd),
    created_at: new Date(budget.createdAt).toISOString(),
    window: {
      starts_at: total ? null : new Date(window.periodStartMs).toISOString(),
      ends_at: total ? null : new Date(window.periodEndMs).toISOString(),
      spent_nano_usd: window.spentNano,
      spent_usd: formatUsd(window.spentNano),
      reserved_nano_usd: window.reservedNano,
      leased_nano_usd: window.idleNano,
      refusing: window.refusing,
    },
  };
}

import type { Migration } from 'kysely/migration';
import { identity } from './0001-identity.ts';
import { apiKeys } from './0002-api-keys.ts';
import { ledger } from './0003-ledger.ts';
import { keyChanges } from './0004-key-changes.ts';
import { bans } from './0005-bans.ts';
import { organizationTier } from './0006-organization-tier.ts';
import { keyLimits } from './0007-key-limits.ts';
import { observations } from './0008-observations.ts';
import { alerts } from './0009-alerts.ts';
import { audit } from './0010-audit.ts';
import { budgets } from './0011-budgets.ts';
import { requestLogRows } from './0012-request-log-rows.ts';
import { spill } from './0013-spill.ts';
import { costs } from './0014-costs.ts';
import { budgetCorrections } from './0015-budget-corrections.ts';

/**
 * All migrations by name, applied in the order of their names, those that are pending in one transaction. What was released is
 * never changed: expand now, contract in a later release, since instances of two versions run side by side during an update.
 * A new table gets `enable` and `force row level security` in the statement that makes it, and its row in the matrix of
 * test/postgres/privileges.test.ts, which fails without.
 */
export const migrations: Readonly<Record<string, Migration>> = Object.freeze({
  '0001-identity': { up: identity },
  '0002-api-keys': { up: apiKeys },
  '0003-ledger': { up: ledger },
  '0004-key-changes': { up: keyChanges },
  '0005-bans': { up: bans },
  '0006-organization-tier': { up: organizationTier },
  '0007-key-limits': { up: keyLimits },
  '0008-observations': { up: observations },
  '0009-alerts': { up: alerts },
  '0010-audit': { up: audit },
  '0011-budgets': { up: budgets },
  '0012-request-log-rows': { up: requestLogRows },
  '0013-spill': { up: spill },
  '0014-costs': { up: costs },
  '0015-budget-corrections': { up: budgetCorrections },
});

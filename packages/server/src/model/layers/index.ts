export { auditLayer } from './audit.ts';
export { budgetLayer } from './budget.ts';
export { ledgerLayer } from './ledger.ts';
export { limitsLayer } from './limits.ts';
export { policyLayer } from './policy.ts';
export { recordAttempt, type RecordedTarget } from './record-attempt.ts';
export { routeCall } from './route.ts';
export { traceLayer } from './trace.ts';
export { heedBoth } from './spent-targets.ts';

export { budgetRoutes } from './budget-routes.ts';
export type { CallSelection } from './correction-store.ts';
export { reconcile, type ReconcileReport } from './reconcile/index.ts';
export { reprice, type RepriceReport } from './reprice.ts';
export { createCostCalculator } from './cost-calculator.ts';
export { costRoutes } from './cost-routes.ts';
export { createCostService, type CostService } from './cost-service.ts';
export { costSumsFailed, createCostSums } from './cost-sums.ts';
export { recordPrices } from './price-store.ts';
export { CallLedger, type CallLedgerOptions } from './call-ledger.ts';
export { InstanceLease } from './instance-lease.ts';
export { ledgerCommitted } from './events.ts';
export {
  LedgerSpill,
  spillBegan,
  spillEmptied,
  spillKept,
  spillRefusing,
  spillReplayed,
  spillReplayFailed,
  type LedgerSpillOptions,
  type SpillStorage,
} from './ledger-spill.ts';
export { createLedgerWriter } from './ledger-store.ts';
export { countLiveInstances } from './live-instances.ts';
export { callsRecovered, createRecovery, recoveryFailed, writeBeat } from './recovery.ts';
export { createSpillTarget, type SpillTargetOptions } from './spill-store.ts';
export { usageRoutes } from './routes.ts';
export { createUsageService, type UsageService } from './usage-service.ts';

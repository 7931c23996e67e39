export { CallLedger, type CallLedgerOptions } from './call-ledger.ts';
export { InstanceLease } from './instance-lease.ts';
export { ledgerCommitted } from './events.ts';
export { createLedgerWriter } from './ledger-store.ts';
export { countLiveInstances } from './live-instances.ts';
export { callsRecovered, createRecovery, recoveryFailed, writeBeat } from './recovery.ts';
export { usageRoutes } from './routes.ts';
export { createUsageService, type UsageService } from './usage-service.ts';

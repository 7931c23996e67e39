export { CallLedger, type CallLedgerOptions } from './call-ledger.ts';
export { InstanceLease } from './instance-lease.ts';
export { createLedgerWriter, type LedgerWrite } from './ledger-writer.ts';

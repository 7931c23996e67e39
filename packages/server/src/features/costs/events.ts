import { defineChannel } from '@holdfast/kit/events';

/** One commit of a group of writes, or one try of it. */
export interface LedgerCommitted {
  readonly rows: number;
  readonly intents: number;
  readonly durationMs: number;
  readonly outcome: 'completed' | 'failed';
}

export const ledgerCommitted = defineChannel<LedgerCommitted>('holdfast:costs:ledger-committed');

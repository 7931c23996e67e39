import type { Alert, AlertBook, AlertDelivery, AlertStatus, AlertUpdate } from '../engine/index.ts';
import type { AlertSeverity } from '../rules/index.ts';

/** Where alerts live: in memory, or in a database that instances share. */
export interface AlertStore {
  /**
   * Runs `work` on the book as it is and writes what it changes, all or nothing. Nobody else's update, of any instance, runs between reading and
   * writing. `nowMs` is the store's own time, so that instances whose clocks differ agree. Rejects when the store cannot be reached; then nothing
   * was written, or all of it. `work` MUST be quick and without side effects: it may run again. `context` is what whoever asked gave to the watch, for a store
   * that keeps account of who does what.
   */
  update<Update extends AlertUpdate>(work: (book: AlertBook, nowMs: number) => Update, context?: unknown): Promise<Update>;
  /** The book as it is, for those who only look. */
  read(): Promise<AlertBook>;
  /**
   * Deliveries to these channels that are due, oldest first, for whoever asks alone until `leaseMs` have passed. Of a group and a channel there is never one while an
   * earlier one is pending: the end is not told before the beginning.
   */
  takeDeliveries(options: TakeDeliveriesOptions): Promise<readonly AlertDelivery[]>;
  /** What became of a delivery that was taken. One that was settled already stays as it is. */
  settleDelivery(id: string, outcome: AlertDeliveryOutcome): Promise<void>;
  listAlerts(query: AlertQuery): Promise<readonly Alert[]>;
  findAlert(id: string): Promise<Alert | undefined>;
  listDeliveries(query: AlertDeliveryQuery): Promise<readonly AlertDelivery[]>;
  /** Deletes what was over before: alerts, deliveries, silences. */
  prune(beforeMs: number): Promise<void>;
}

export interface TakeDeliveriesOptions {
  readonly channels: readonly string[];
  readonly limit: number;
  readonly leaseMs: number;
}

export type AlertDeliveryOutcome =
  | { readonly status: 'delivered' }
  | { readonly status: 'failed'; readonly error: string }
  | { readonly status: 'pending'; readonly error: string; readonly afterMs: number };

/** Newest first. */
export interface AlertQuery {
  readonly limit: number;
  /** Only those before this id. */
  readonly before?: string | undefined;
  readonly status?: AlertStatus | undefined;
  readonly rule?: string | undefined;
  readonly severity?: AlertSeverity | undefined;
}

export interface AlertDeliveryQuery {
  readonly limit: number;
  readonly before?: string | undefined;
  readonly status?: AlertDelivery['status'] | undefined;
  readonly channel?: string | undefined;
}

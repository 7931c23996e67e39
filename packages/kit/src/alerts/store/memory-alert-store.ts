import {
  applyChanges,
  emptyAlertBook,
  noAlertChanges,
  type Alert,
  type AlertBook,
  type AlertDelivery,
  type AlertUpdate,
} from '../engine/index.ts';
import type { Clock } from '../../time/index.ts';
import type { AlertDeliveryOutcome, AlertDeliveryQuery, AlertQuery, AlertStore, TakeDeliveriesOptions } from './alert-store.ts';

export interface MemoryAlertStoreOptions {
  readonly clock: Clock;
  /** What it begins with. Default: nothing. */
  readonly book?: AlertBook;
  /** Alerts that are over, and deliveries, that are kept to be looked at. Default 1,000 of each. */
  readonly maxHistory?: number;
}

export interface MemoryAlertStore extends AlertStore {
  readonly book: AlertBook;
  /** Deliveries that are not done, oldest first. */
  readonly pending: readonly AlertDelivery[];
}

/** Alerts of one process, gone with it. */
export function createMemoryAlertStore(options: MemoryAlertStoreOptions): MemoryAlertStore {
  return new MemoryStore(options);
}

class MemoryStore implements MemoryAlertStore {
  readonly #clock: Clock;
  readonly #maxHistory: number;
  #book: AlertBook;
  /** By id, in the order in which they came, which is that of their ids. */
  readonly #alerts = new Map<string, Alert>();
  readonly #deliveries = new Map<string, AlertDelivery>();
  readonly #leases = new Map<string, number>();

  constructor({ clock, book = emptyAlertBook, maxHistory = 1_000 }: MemoryAlertStoreOptions) {
    this.#clock = clock;
    this.#maxHistory = maxHistory;
    this.#book = book;
    for (const alert of book.alerts) this.#alerts.set(alert.id, alert);
  }

  get book(): AlertBook {
    return applyChanges(this.#book, noAlertChanges, this.#clock.now());
  }

  get pending(): readonly AlertDelivery[] {
    return [...this.#deliveries.values()].filter(({ status }) => status === 'pending');
  }

  async update<Update extends AlertUpdate>(work: (book: AlertBook, nowMs: number) => Update): Promise<Update> {
    const nowMs = this.#clock.now();
    const book = this.book;
    const update = work(book, nowMs);
    const { changes } = update;
    this.#book = applyChanges(book, changes, nowMs);
    for (const alert of changes.alerts) this.#alerts.set(alert.id, alert);
    for (const id of changes.forgottenAlerts) this.#alerts.delete(id);
    for (const delivery of changes.deliveries) if (!this.#deliveries.has(delivery.id)) this.#deliveries.set(delivery.id, delivery);
    this.#forget();
    return update;
  }

  async read(): Promise<AlertBook> {
    return this.book;
  }

  async takeDeliveries({ channels, limit, leaseMs }: TakeDeliveriesOptions): Promise<readonly AlertDelivery[]> {
    const nowMs = this.#clock.now();
    const taken: AlertDelivery[] = [];
    const lines = new Set<string>();
    for (const delivery of this.pending) {
      if (!channels.includes(delivery.channel)) continue;
      const line = JSON.stringify([delivery.groupKey, delivery.channel]);
      if (lines.has(line)) continue;
      lines.add(line);
      if (taken.length >= limit || delivery.nextTryMs > nowMs || (this.#leases.get(delivery.id) ?? 0) > nowMs) continue;
      this.#leases.set(delivery.id, nowMs + leaseMs);
      taken.push(delivery);
    }
    return taken;
  }

  async settleDelivery(id: string, outcome: AlertDeliveryOutcome): Promise<void> {
    const delivery = this.#deliveries.get(id);
    if (delivery?.status !== 'pending') return;
    const nowMs = this.#clock.now();
    this.#leases.delete(id);
    this.#deliveries.set(id, {
      ...delivery,
      attempts: delivery.attempts + 1,
      status: outcome.status,
      lastError: outcome.status === 'delivered' ? null : outcome.error,
      nextTryMs: outcome.status === 'pending' ? nowMs + outcome.afterMs : delivery.nextTryMs,
      finishedMs: outcome.status === 'pending' ? null : nowMs,
    });
  }

  async listAlerts({ limit, before, status, rule, severity }: AlertQuery): Promise<readonly Alert[]> {
    return newest(this.#alerts, before)
      .filter(
        (alert) =>
          (status === undefined || alert.status === status) &&
          (rule === undefined || alert.rule === rule) &&
          (severity === undefined || alert.severity === severity),
      )
      .slice(0, limit);
  }

  async findAlert(id: string): Promise<Alert | undefined> {
    return this.#alerts.get(id);
  }

  async listDeliveries({ limit, before, status, channel }: AlertDeliveryQuery): Promise<readonly AlertDelivery[]> {
    return newest(this.#deliveries, before)
      .filter((delivery) => (status === undefined || delivery.status === status) && (channel === undefined || delivery.channel === channel))
      .slice(0, limit);
  }

  async prune(beforeMs: number): Promise<void> {
    for (const [id, { resolvedMs }] of this.#alerts) if (resolvedMs !== null && resolvedMs < beforeMs) this.#alerts.delete(id);
    for (const [id, { createdMs }] of this.#deliveries) if (createdMs < beforeMs) this.#deliveries.delete(id);
  }

  /** A store that nobody prunes must not grow without end. */
  #forget(): void {
    const over = (entries: Map<string, { readonly id: string }>, isOver: (id: string) => boolean): void => {
      for (const id of entries.keys()) {
        if (entries.size <= this.#maxHistory) return;
        if (isOver(id)) entries.delete(id);
      }
    };
    over(this.#alerts, (id) => this.#alerts.get(id)!.status === 'resolved');
    over(this.#deliveries, (id) => this.#deliveries.get(id)!.status !== 'pending');
  }
}

function newest<Entry extends { readonly id: string }>(entries: ReadonlyMap<string, Entry>, before: string | undefined): Entry[] {
  return [...entries.values()].filter(({ id }) => before === undefined || id < before).sort((a, b) => (a.id < b.id ? 1 : -1));
}

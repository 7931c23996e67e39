import { isHoldfastError, toHoldfastError } from '../../errors/index.ts';
import type { Clock, Random } from '../../time/index.ts';
import type { AlertChannel } from '../channel.ts';
import type { AlertDelivery } from '../engine/index.ts';
import { alertDelivered } from '../events.ts';
import type { AlertDeliveryOutcome, AlertStore } from '../store/index.ts';

export interface CourierNumbers {
  /** How long one delivery may take with all its attempts; then another instance may take it. Default 60,000. */
  readonly leaseMs: number;
  /** Between two tries of a delivery at first; doubled each time. Default 15,000. */
  readonly retryFirstMs: number;
  /** And at most. Default 900,000. */
  readonly retryMaxMs: number;
  /** What is older is given up: nobody wants to hear tomorrow that something was slow today. Default 21,600,000, six hours. */
  readonly maxAgeMs: number;
}

export const courierDefaults: CourierNumbers = Object.freeze({
  leaseMs: 60_000,
  retryFirstMs: 15_000,
  retryMaxMs: 900_000,
  maxAgeMs: 21_600_000,
});

/** Deliveries that are taken at once. */
const batch = 50;

/** Carries deliveries from a store to their channels: those of one channel one after the other, channels beside each other. */
export class Courier {
  #channels: ReadonlyMap<string, AlertChannel>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #numbers: CourierNumbers;
  readonly #stopped = new AbortController();
  /** What a store has yet to learn: a delivery that was made is not made again because the store was away. */
  readonly #unsettled = new Map<string, AlertDeliveryOutcome>();
  #running: Promise<void> | undefined;
  /** Of channels that were replaced. */
  #closing: Promise<void> | undefined;

  constructor(options: { channels: readonly AlertChannel[]; clock: Clock; random: Random; numbers: CourierNumbers }) {
    this.#channels = new Map(options.channels.map((channel) => [channel.name, channel]));
    this.#clock = options.clock;
    this.#random = options.random;
    this.#numbers = options.numbers;
  }

  /** Delivers what is due now. Rejects when the store cannot be asked; a channel that fails is an outcome. */
  run(store: AlertStore): Promise<void> {
    return (this.#running ??= this.#run(store).finally(() => (this.#running = undefined)));
  }

  /** From the next delivery on. Those that are no longer there are closed when what is under way is through. */
  replaceChannels(channels: readonly AlertChannel[]): void {
    const before = [...this.#channels.values()];
    this.#channels = new Map(channels.map((channel) => [channel.name, channel]));
    const gone = before.filter((channel) => !channels.includes(channel));
    const under = this.#running ?? Promise.resolve();
    this.#closing = Promise.allSettled([this.#closing, under])
      .then(() => Promise.allSettled(gone.map(async (channel) => channel.close?.())))
      .then(() => {});
  }

  /** Breaks off what is under way: it is taken up again by whoever comes next. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running?.catch(() => {});
    await this.#closing;
  }

  async #run(store: AlertStore): Promise<void> {
    for (;;) {
      if (this.#stopped.signal.aborted) return;
      const taken = await store.takeDeliveries({ channels: [...this.#channels.keys()], limit: batch, leaseMs: this.#numbers.leaseMs });
      if (taken.length === 0) return;
      const byChannel = Map.groupBy(taken, ({ channel }) => channel);
      const lanes = [...byChannel.values()].map(async (deliveries) => {
        for (const delivery of deliveries) await this.#deliver(store, delivery);
      });
      const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
      if (failed) throw failed.reason;
    }
  }

  async #deliver(store: AlertStore, delivery: AlertDelivery): Promise<void> {
    const remembered = this.#unsettled.get(delivery.id);
    const outcome = remembered ?? (await this.#attempt(delivery));
    if (outcome === undefined) return;
    if (remembered === undefined) announce(delivery, outcome);
    this.#unsettled.set(delivery.id, outcome);
    await store.settleDelivery(delivery.id, outcome);
    this.#unsettled.delete(delivery.id);
  }

  /** Undefined: it was broken off by the stop, and nobody knows; or its channel is gone, and it waits for one of that name. */
  async #attempt(delivery: AlertDelivery): Promise<AlertDeliveryOutcome | undefined> {
    const channel = this.#channels.get(delivery.channel);
    if (channel === undefined) return undefined;
    const ageMs = this.#clock.now() - delivery.createdMs;
    if (ageMs > this.#numbers.maxAgeMs) return { status: 'failed', error: delivery.lastError ?? 'alert_channel_failed' };
    try {
      await channel.send(delivery, { signal: this.#stopped.signal });
      return { status: 'delivered' };
    } catch (thrown) {
      if (this.#stopped.signal.aborted) return undefined;
      const error = toHoldfastError(thrown);
      // A fault of ours, or of the user's channel, may be gone with the next version: it is tried again until it is too old.
      const inVain = isHoldfastError(thrown) && error.code === 'alert_channel_refused';
      return inVain
        ? { status: 'failed', error: error.code }
        : { status: 'pending', error: error.code, afterMs: this.#backoffMs(delivery) };
    }
  }

  #backoffMs({ attempts }: AlertDelivery): number {
    const { retryFirstMs, retryMaxMs } = this.#numbers;
    const delayMs = Math.min(retryFirstMs * 2 ** Math.min(attempts, 30), retryMaxMs);
    return delayMs * (0.75 + this.#random.next() / 4);
  }
}

function announce({ id, channel, notification, attempts }: AlertDelivery, outcome: AlertDeliveryOutcome): void {
  alertDelivered.publish({
    deliveryId: id,
    channel,
    rule: notification.rule,
    kind: notification.kind,
    outcome: outcome.status === 'pending' ? 'retried' : outcome.status,
    attempts: attempts + 1,
    error: outcome.status === 'delivered' ? undefined : outcome.error,
  });
}

import { runUpkeep } from '../../events/index.ts';
import { createUuidV7, systemClock, systemRandom, type Clock, type Random, type Timer } from '../../time/index.ts';
import type { AlertChannel } from '../channel.ts';
import {
  acknowledge,
  applyChanges,
  emptyAlertBook,
  evaluate,
  noAlertChanges,
  reunite,
  type Alert,
  type AlertBook,
  type AlertSilence,
  type AlertTerms,
  type AlertUpdate,
} from '../engine/index.ts';
import { alertChanged, alertStoreLost, alertStoreRecovered } from '../events.ts';
import type { AlertRule } from '../rules/index.ts';
import { createMemoryAlertStore, type AlertStore, type MemoryAlertStore } from '../store/index.ts';
import { Courier, courierDefaults, type CourierNumbers } from './courier.ts';
import { readSamples, type AlertReader } from './read-samples.ts';

export interface AlertWatchNumbers extends CourierNumbers {
  /** Between two looks at the rules. Default 30,000. */
  readonly intervalMs: number;
  /** Between two tellings of what goes on unchanged and nobody has acknowledged. Default 14,400,000, four hours. */
  readonly repeatMs: number;
  /** How long reading one value may take. Default 5,000. */
  readonly readTimeoutMs: number;
  /** How long alerts that are over, and deliveries, are kept. Default 2,592,000,000, 30 days. */
  readonly retentionMs: number;
}

export const alertWatchDefaults: AlertWatchNumbers = Object.freeze({
  ...courierDefaults,
  intervalMs: 30_000,
  repeatMs: 14_400_000,
  readTimeoutMs: 5_000,
  retentionMs: 30 * 86_400_000,
});

export interface AlertWatchOptions extends Partial<AlertWatchNumbers> {
  readonly rules: readonly AlertRule[];
  readonly read: AlertReader;
  readonly channels: readonly AlertChannel[];
  /** Shared by all instances. Default: one in memory, that ends with the process. */
  readonly store?: AlertStore;
  /** Names this process among those that share the store. Default: a new id. */
  readonly instance?: string;
  /** Which installation the alerts are about. Default `holdfast`. */
  readonly deployment?: string;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Looks at the rules time and again, and tells what comes of it. */
export interface AlertWatch {
  /** The rules that are in force now. */
  readonly rules: readonly AlertRule[];
  readonly channels: readonly AlertChannel[];
  /** From now on a look each `intervalMs`. */
  start(): void;
  /** One look, at once, and what is to be delivered after it. Never rejects. */
  look(): Promise<void>;
  /** From the next look on. */
  replaceRules(rules: readonly AlertRule[]): void;
  /** From the next look and the next delivery on. One that stays is given again, the same object: the others are closed when what they do is done. */
  replaceChannels(channels: readonly AlertChannel[]): void;
  /** Undefined when no such alert fires. `context`, here and below, goes to the store as it is. Rejects while the store cannot be reached. */
  acknowledge(
    request: { readonly id: string; readonly by: string | null; readonly note: string | null },
    context?: unknown,
  ): Promise<Alert | undefined>;
  silence(request: Omit<AlertSilence, 'id'>, context?: unknown): Promise<AlertSilence>;
  /** Ends it now. Undefined when there is none, or it is over. */
  endSilence(id: string, context?: unknown): Promise<AlertSilence | undefined>;
  silences(): Promise<readonly AlertSilence[]>;
  /** Ends the looks; what is being delivered is broken off and taken up by whoever comes next. */
  close(): Promise<void>;
}

const pruneEveryMs = 3_600_000;

export function createAlertWatch(options: AlertWatchOptions): AlertWatch {
  return new Watch(options);
}

class Watch implements AlertWatch {
  #channels: readonly AlertChannel[];
  readonly #read: AlertReader;
  readonly #store: AlertStore;
  readonly #clock: Clock;
  readonly #instance: string;
  readonly #deployment: string;
  readonly #numbers: AlertWatchNumbers;
  readonly #createId: () => string;
  readonly #courier: Courier;
  #rules!: ReadonlyMap<string, AlertRule>;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;
  /** The shared book as it was last seen: what an instance goes on from that cannot reach it. */
  #book: AlertBook = emptyAlertBook;
  #alone: { readonly store: MemoryAlertStore; readonly sinceMs: number } | undefined;
  #prunedMs = Number.NEGATIVE_INFINITY;

  constructor(options: AlertWatchOptions) {
    const { rules, read, channels, clock = systemClock, random = systemRandom, deployment = 'holdfast' } = options;
    this.#channels = channels;
    this.#read = read;
    this.#clock = clock;
    this.#store = options.store ?? createMemoryAlertStore({ clock });
    this.#createId = createUuidV7(clock, random);
    this.#instance = options.instance ?? this.#createId();
    this.#deployment = deployment;
    const numbers = { ...alertWatchDefaults };
    for (const name of Object.keys(numbers) as (keyof AlertWatchNumbers)[]) numbers[name] = options[name] ?? numbers[name];
    this.#numbers = numbers;
    this.#courier = new Courier({ channels, clock, random, numbers });
    this.replaceRules(rules);
  }

  get rules(): readonly AlertRule[] {
    return [...this.#rules.values()];
  }

  replaceRules(rules: readonly AlertRule[]): void {
    this.#rules = new Map(rules.map((rule) => [rule.name, rule]));
  }

  get channels(): readonly AlertChannel[] {
    return this.#channels;
  }

  replaceChannels(channels: readonly AlertChannel[]): void {
    this.#channels = channels;
    this.#courier.replaceChannels(channels);
  }

  start(): void {
    if (this.#closed || this.#timer) return;
    this.#timer = this.#clock.setTimeout(() => {
      void this.look().then(() => {
        if (!this.#closed) this.#timer?.refresh();
      });
    }, this.#numbers.intervalMs);
  }

  look(): Promise<void> {
    return (this.#looking ??= runUpkeep('holdfast.alerts.look', () => this.#look()).finally(() => (this.#looking = undefined)));
  }

  async acknowledge(
    request: { readonly id: string; readonly by: string | null; readonly note: string | null },
    context?: unknown,
  ): Promise<Alert | undefined> {
    const update = await this.#store.update((book, nowMs): AlertUpdate & { readonly alert: Alert | undefined } => {
      const done = acknowledge(book, this.#terms(nowMs), request);
      return done ?? { changes: noAlertChanges, transitions: [], alert: undefined };
    }, context);
    announce(update);
    void this.#deliver(this.#store);
    return update.alert;
  }

  async silence(request: Omit<AlertSilence, 'id'>, context?: unknown): Promise<AlertSilence> {
    const silence: AlertSilence = { ...request, id: this.#createId() };
    await this.#store.update(() => ({ changes: { ...noAlertChanges, silences: [silence] }, transitions: [] }), context);
    return silence;
  }

  async endSilence(id: string, context?: unknown): Promise<AlertSilence | undefined> {
    const { ended } = await this.#store.update((book, nowMs): AlertUpdate & { readonly ended: AlertSilence | undefined } => {
      const found = book.silences.find((silence) => silence.id === id);
      const ended = found && { ...found, startsMs: Math.min(found.startsMs, nowMs), endsMs: nowMs };
      return { changes: ended ? { ...noAlertChanges, silences: [ended] } : noAlertChanges, transitions: [], ended };
    }, context);
    return ended;
  }

  async silences(): Promise<readonly AlertSilence[]> {
    return (await this.#store.read()).silences;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#courier.stop();
    await this.#looking;
    for (const channel of this.channels) await channel.close?.();
  }

  async #look(): Promise<void> {
    const rules = this.rules;
    const samples = await readSamples(rules, this.#read, this.#clock, this.#numbers.readTimeoutMs);
    if (this.#closed) return;
    const step = (book: AlertBook, nowMs: number): AlertUpdate =>
      evaluate(book, this.#terms(nowMs), {
        samples,
        instance: this.#instance,
        // Two and a half looks: one that is late, or lost, resolves nothing.
        ttlMs: this.#numbers.intervalMs * 2.5,
      });
    try {
      if (this.#alone) await this.#reunite();
      let after = this.#book;
      const update = await this.#store.update((book, nowMs) => {
        const next = step(book, nowMs);
        after = applyChanges(book, next.changes, nowMs);
        return next;
      });
      this.#book = after;
      announce(update);
    } catch (error) {
      await this.#goOnAlone(error, step);
    }
    await this.#deliver(this.#alone?.store ?? this.#store);
    await this.#prune();
  }

  /** In memory, from where the shared book was seen last. */
  async #goOnAlone(error: unknown, step: (book: AlertBook, nowMs: number) => AlertUpdate): Promise<void> {
    if (!this.#alone) {
      const store = createMemoryAlertStore({ clock: this.#clock, book: this.#book });
      this.#alone = { store, sinceMs: this.#clock.monotonic() };
      alertStoreLost.publish({ error });
    }
    announce(await this.#alone.store.update(step));
  }

  async #reunite(): Promise<void> {
    const { store, sinceMs } = this.#alone!;
    let after = store.book;
    await this.#store.update((book, nowMs) => {
      const changes = reunite(book, { instance: this.#instance, book: store.book, pending: store.pending });
      after = applyChanges(book, changes, nowMs);
      return { changes, transitions: [] };
    });
    this.#book = after;
    this.#alone = undefined;
    alertStoreRecovered.publish({ awayMs: this.#clock.monotonic() - sinceMs });
  }

  /** What a store cannot say now it says at the next look. */
  async #deliver(store: AlertStore): Promise<void> {
    if (!this.#closed) await this.#courier.run(store).catch(() => {});
  }

  async #prune(): Promise<void> {
    const nowMs = this.#clock.monotonic();
    if (this.#alone || nowMs - this.#prunedMs < pruneEveryMs) return;
    this.#prunedMs = nowMs;
    await this.#store.prune(this.#clock.now() - this.#numbers.retentionMs).catch(() => {});
  }

  #terms(nowMs: number): AlertTerms {
    return {
      nowMs,
      rules: this.#rules,
      routes: this.channels.map(({ name, minSeverity, tells }) => ({ channel: name, minSeverity, tells })),
      repeatMs: this.#numbers.repeatMs,
      deployment: this.#deployment,
      createId: this.#createId,
    };
  }
}

function announce({ transitions }: AlertUpdate): void {
  for (const transition of transitions) alertChanged.publish(transition);
}

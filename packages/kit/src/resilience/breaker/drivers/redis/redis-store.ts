import { HoldfastError } from '../../../../errors/index.ts';
import type { Timer } from '../../../../time/index.ts';
import type { BreakerStore, SharedBreakerState } from '../../store.ts';
import { KnownState } from './known-state.ts';
import { readRedisBreakerStoreOptions, type RedisBreakerStoreOptions, type RedisBreakerStoreSettings } from './options.ts';
import { changesScript, claimScript, exchangeScript, releaseScript } from './scripts.ts';
import { readMessage, readState, writeLeft } from './wire.ts';

/** Also ends what it does by itself. */
export interface RedisBreakerStore extends BreakerStore {
  /** Ends its subscription and its asking. Nothing in Redis is changed. */
  close(): void;
}

/**
 * States of breakers in Redis 6.2 or later, or Valkey, shared by all instances on Redis's clock. Calls never wait for it: only changes
 * and claims to a probe are sent. Others hear of a change through the channel, or within `pollMs` where there is none. While Redis is away
 * every method rejects and the instance goes by what it knows; when it is back, whatever is newest there or at any instance is in force
 * everywhere, and an operator's word that it has not heard goes before everything. Throws `configuration_invalid`.
 */
export function createRedisBreakerStore(options: RedisBreakerStoreOptions): RedisBreakerStore {
  return new Store(readRedisBreakerStoreOptions(options));
}

/** See the script. */
type How = 'now' | 'late' | 'first';

/** Names in one round trip. */
const batchSize = 500;

class Store implements RedisBreakerStore {
  readonly #settings: RedisBreakerStoreSettings;
  readonly #base: string;
  readonly #channel: string;
  readonly #owner: string;
  readonly #known = new Map<string, KnownState>();
  /** Names to be exchanged with Redis. */
  readonly #open = new Set<string>();
  #exchanging = false;
  /** Of the data that Redis has; undefined before the first answer. */
  #epoch: string | undefined;
  #version = 0;
  #polling = false;
  #pollAgain = false;
  #timer: Timer | undefined;
  #lost = false;
  #stop: (() => void) | undefined;

  constructor(settings: RedisBreakerStoreSettings) {
    this.#settings = settings;
    this.#base = `{${settings.prefix}}:`;
    this.#channel = `${settings.prefix}:changes`;
    this.#owner = settings.random.bytes(12).toString('base64url');
  }

  watch(name: string, listener: (state: SharedBreakerState) => void, onFailure: (error: unknown) => void): () => void {
    let known = this.#known.get(name);
    if (!known) {
      known = new KnownState(this.#settings.clock);
      this.#known.set(name, known);
      this.#exchangeSoon(name);
    }
    // Other functions each time, so that whoever watches twice ends twice.
    const own = (state: SharedBreakerState) => listener(state);
    const ownFailure = (error: unknown) => onFailure(error);
    known.listeners.add(own);
    known.failureListeners.add(ownFailure);
    const { state } = known;
    if (state) own(state);
    this.#start();
    return () => {
      known.listeners.delete(own);
      known.failureListeners.delete(ownFailure);
      if (known.listeners.size > 0 || this.#known.get(name) !== known) return;
      this.#known.delete(name);
      this.#open.delete(name);
      if (this.#known.size === 0) this.close();
    };
  }

  async publish(name: string, state: SharedBreakerState): Promise<SharedBreakerState> {
    const known = this.#known.get(name);
    known?.propose(state);
    let inForce: SharedBreakerState;
    try {
      inForce = (await this.#exchange([[name, state, 'now']])).get(name)!;
    } catch (error) {
      // Told when Redis answers again.
      if (known?.markUnheard()) {
        this.#open.add(name);
        this.#schedule();
      }
      throw error;
    }
    if (known && !known.adopt(inForce)) this.#exchangeSoon(name);
    return inForce;
  }

  async claimProbe(name: string, generation: number, leaseMs: number): Promise<boolean> {
    const keys = [this.#stateKey(name), this.#claimKey(name)];
    const args = [String(generation), String(Math.ceil(leaseMs)), this.#owner];
    const answer = await this.#ask(
      () => claimScript.run(this.#settings.client, keys, args),
      // Nobody waits for it any more, so nobody else would give it back.
      (late) => {
        if (late === 1) this.releaseProbe(name, generation).catch(() => {});
      },
    );
    if (answer === -1) this.#exchangeSoon(name);
    return answer === 1;
  }

  async releaseProbe(name: string, generation: number): Promise<void> {
    await this.#ask(() => releaseScript.run(this.#settings.client, [this.#claimKey(name)], [String(generation), this.#owner]));
  }

  close(): void {
    this.#timer?.cancel();
    this.#stop?.();
    this.#stop = undefined;
  }

  // --- what changes elsewhere

  #start(): void {
    if (this.#stop) return;
    const { subscriptions } = this.#settings;
    const ends = subscriptions && [
      subscriptions.subscribe(this.#channel, (message) => this.#hear(message)),
      // Connected again: what was announced meanwhile is asked for. Lost: asked for from now on.
      subscriptions.onStateChange(() => void this.#poll()),
    ];
    this.#stop = () => ends?.forEach((end) => end());
    void this.#poll();
  }

  #hear(text: string): void {
    const message = readMessage(text);
    if (!message) return;
    // Channels are those of all databases of a server: another installation's, or Redis has lost its data.
    if (message.epoch !== this.#epoch) return void this.#poll();
    const known = this.#known.get(message.name);
    if (known && !known.adopt(message.state)) this.#exchangeSoon(message.name);
  }

  async #poll(): Promise<void> {
    if (!this.#stop) return;
    // The one under way may have been answered before whatever asks for another.
    if (this.#polling) return void (this.#pollAgain = true);
    this.#polling = true;
    this.#pollAgain = false;
    try {
      const keys = [`${this.#base}journal`, `${this.#base}changes`];
      const reply = await this.#ask(() => changesScript.run(this.#settings.client, keys, [String(this.#version), `${this.#base}s:`]));
      const [epoch, version, ...changes] = reply as [string, number, ...unknown[]];
      this.#lost = false;
      if (epoch === this.#epoch) {
        for (let at = 0; at < changes.length; at += 5) this.#learn(String(changes[at]), changes.slice(at + 1, at + 5));
      } else {
        for (const name of this.#known.keys()) this.#open.add(name);
      }
      this.#epoch = epoch;
      this.#version = version;
      await this.#exchangeOpen();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#polling = false;
      if (this.#pollAgain) void this.#poll();
      else this.#schedule();
    }
  }

  #learn(name: string, [generation, word, left, byHand]: readonly unknown[]): void {
    const state = readState(generation, word, left, byHand);
    const known = this.#known.get(name);
    if (state && known && !known.adopt(state)) this.#open.add(name);
  }

  /** Once for each loss. */
  #fail(error: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const { failureListeners } of this.#known.values()) for (const listener of [...failureListeners]) listener(error);
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (!this.#stop) return;
    const { clock, subscriptions, pollMs, auditMs } = this.#settings;
    const announced = subscriptions?.connected === true && !this.#lost && this.#open.size === 0;
    this.#timer = clock.setTimeout(() => void this.#poll(), announced ? auditMs : pollMs);
  }

  // --- exchange

  #exchangeSoon(name: string): void {
    this.#open.add(name);
    // Breakers are made many at a time: one round trip for all of them.
    queueMicrotask(() => {
      this.#exchangeOpen().catch((error: unknown) => {
        this.#fail(error);
        this.#schedule();
      });
    });
  }

  async #exchangeOpen(): Promise<void> {
    if (this.#exchanging) return;
    this.#exchanging = true;
    try {
      while (this.#open.size > 0) {
        const asked: (readonly [string, SharedBreakerState | undefined, How])[] = [];
        for (const name of [...this.#open].slice(0, batchSize)) {
          const known = this.#known.get(name);
          if (known) asked.push([name, known.state, known.goesFirst ? 'first' : 'late']);
          else this.#open.delete(name);
        }
        const inForce = await this.#exchange(asked);
        for (const [name, sent] of asked) {
          const state = inForce.get(name);
          const known = this.#known.get(name);
          // Changed meanwhile: that change is on its way, and says more than this answer.
          if (known?.state?.generation !== sent?.generation && known?.confirmed === false) continue;
          this.#open.delete(name);
          if (state && known && !known.adopt(state)) this.#open.add(name);
        }
      }
    } finally {
      this.#exchanging = false;
    }
  }

  /** Tells what is known and answers what is in force then. */
  async #exchange(
    states: readonly (readonly [name: string, state: SharedBreakerState | undefined, how: How])[],
  ): Promise<ReadonlyMap<string, SharedBreakerState>> {
    const inForce = new Map<string, SharedBreakerState>();
    if (states.length === 0) return inForce;
    const { client, keepMs, maxNames } = this.#settings;
    const keys = [`${this.#base}journal`, `${this.#base}changes`];
    const args = [this.#channel, String(keepMs), String(maxNames)];
    for (const [name, state, how] of states) {
      keys.push(this.#stateKey(name));
      args.push(name, String(state?.generation ?? 0), state?.state ?? '', writeLeft(state?.recoveryMs ?? 0));
      args.push(state?.byHand ? '1' : '0', how);
    }
    const reply = (await this.#ask(() => exchangeScript.run(client, keys, args))) as unknown[];
    states.forEach(([name], index) => {
      const at = 2 + index * 4;
      const state = readState(reply[at], reply[at + 1], reply[at + 2], reply[at + 3]);
      if (state) inForce.set(name, state);
    });
    return inForce;
  }

  /** Rejects when Redis takes too long; what it answers after that goes to `late`. */
  #ask(run: () => Promise<unknown>, late?: (answer: unknown) => void): Promise<unknown> {
    const { clock, timeoutMs } = this.#settings;
    return new Promise((resolve, reject) => {
      let over = false;
      const timer = clock.setTimeout(() => {
        over = true;
        reject(new HoldfastError('redis_unavailable', { detail: `Redis did not answer in ${timeoutMs} ms`, retryAfterSeconds: 1 }));
      }, timeoutMs);
      // In a function of its own, so that a client that throws at once rejects too.
      (async () => run())().then(
        (answer) => {
          timer.cancel();
          if (over) late?.(answer);
          else resolve(answer);
        },
        (error: unknown) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  #stateKey(name: string): string {
    return `${this.#base}s:${name}`;
  }

  #claimKey(name: string): string {
    return `${this.#base}p:${name}`;
  }
}

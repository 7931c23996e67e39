import { HoldfastError } from '../../errors/index.ts';
import type { Clock, Timer } from '../../time/index.ts';
import { storeLost, storeRecovered } from '../announcements.ts';
import type { Awaitable, BucketStatus, BucketTake, ListOptions, RateLimitDriver, Settlement, TakeOutcome } from '../driver.ts';
import { createMemoryDriver, type MemoryDriver } from '../drivers/memory/index.ts';
import type { LimitPolicy } from '../policies/index.ts';
import { FleetSize } from './fleet-size.ts';
import { readLocalShareOptions, type LocalShareOptions } from './options.ts';
import { announceLost, SettlementBacklog } from './settlement-backlog.ts';
import { shareOfPolicy } from './share-of-policy.ts';
import type { SharedRateLimitDriver } from './shared-driver.ts';

export interface LocalShareState {
  /** Who decides: the shared store, or this instance alone by its share. */
  readonly mode: 'shared' | 'local';
  /** Unix milliseconds. */
  readonly sinceMs: number;
  /** Instances that share the limits, as last known. */
  readonly instances: number;
  /** Why the store was lost, the last time. */
  readonly lastError: unknown;
}

export interface LocalShareDriver extends RateLimitDriver {
  /** For health and metrics. */
  readonly state: LocalShareState;
  /** Tells the store that this instance is there and begins to listen for the others. Resolves also when the store is away. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Limits by the shared store, and while it is away by this instance's share of each limit. Never rejects for the sake of the store.
 * Throws `configuration_invalid`.
 */
export function withLocalShare(options: LocalShareOptions): LocalShareDriver {
  return new Driver(readLocalShareOptions(options));
}

/** What was taken locally, with the policy under which it was. */
class LocalMark {
  readonly bucket: BucketStatus;
  constructor(bucket: BucketStatus) {
    this.bucket = bucket;
  }
}

class Driver implements LocalShareDriver {
  readonly #options: Required<LocalShareOptions>;
  readonly #shared: SharedRateLimitDriver;
  readonly #clock: Clock;
  readonly #local: MemoryDriver;
  readonly #fleet: FleetSize;
  readonly #backlog = new SettlementBacklog();
  #shares = new WeakMap<LimitPolicy, LimitPolicy>();
  #sharedBy: number;
  #mode: LocalShareState['mode'] = 'shared';
  #sinceMs: number;
  #lostAtMs = 0;
  #lastError: unknown;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: Required<LocalShareOptions>) {
    this.#options = options;
    this.#shared = options.shared;
    this.#clock = options.clock;
    this.#local = createMemoryDriver({ clock: options.clock, maxBucketsPerPolicy: options.maxBucketsPerPolicy });
    this.#fleet = new FleetSize(options.clock, options.assumedInstances, this.#knownForMs);
    this.#sharedBy = options.assumedInstances;
    this.#sinceMs = options.clock.now();
  }

  get #knownForMs(): number {
    return 3 * this.#options.heartbeatMs;
  }

  get state(): LocalShareState {
    return { mode: this.#mode, sinceMs: this.#sinceMs, instances: this.#fleet.size, lastError: this.#lastError };
  }

  async start(): Promise<void> {
    await this.#beat();
  }

  async take(takes: readonly BucketTake[]): Promise<TakeOutcome> {
    if (this.#mode === 'shared') {
      try {
        return await this.#inTime(() => this.#shared.take(takes), this.#abandon);
      } catch (error) {
        this.#lose(error);
      }
    }
    return this.#decideLocally(takes, (shares) => this.#local.take(shares));
  }

  async peek(takes: readonly BucketTake[]): Promise<TakeOutcome> {
    if (this.#mode === 'shared') {
      try {
        return await this.#inTime(() => this.#shared.peek(takes));
      } catch (error) {
        this.#lose(error);
      }
    }
    return this.#decideLocally(takes, (shares) => this.#local.peek(shares));
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    const shared: Settlement[] = [];
    for (const settlement of settlements) {
      const { mark } = settlement.bucket;
      if (mark instanceof LocalMark) this.#local.settle([{ bucket: mark.bucket, actual: settlement.actual }]);
      else shared.push(settlement);
    }
    if (shared.length === 0) return;
    if (this.#mode === 'local') this.#backlog.add(shared, this.#lastError);
    else await this.#tell(shared);
  }

  /**
   * A release may be repeated; a refund whose answer was lost may not, since it could have been given. It is lost then: what was
   * reserved drains like everything else.
   */
  async #tell(settlements: readonly Settlement[]): Promise<void> {
    try {
      await this.#inTime(() => this.#shared.settle(settlements));
    } catch (error) {
      this.#lose(error);
      const [leases, others] = partition(settlements, ({ bucket }) => bucket.policy.kind === 'concurrency');
      this.#backlog.add(leases, error);
      announceLost(others, error);
    }
  }

  /** A lease of the store counts as held while the store is away: nobody can take it over there. */
  async renew(leases: readonly BucketStatus[]): Promise<boolean> {
    const local: BucketStatus[] = [];
    const shared: BucketStatus[] = [];
    for (const lease of leases) {
      if (lease.mark instanceof LocalMark) local.push(lease.mark.bucket);
      else shared.push(lease);
    }
    const held = this.#local.renew(local);
    if (shared.length === 0) return held;
    try {
      return (await this.#inTime(() => this.#shared.renew(shared))) && held;
    } catch (error) {
      this.#lose(error);
      return held;
    }
  }

  async list(options?: ListOptions) {
    if (this.#mode === 'shared') {
      try {
        return await this.#inTime(() => this.#shared.list(options));
      } catch (error) {
        this.#lose(error);
      }
    }
    return this.#local.list(options);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#local.close();
    if (this.#mode === 'shared') {
      await this.#inTime(() => this.#shared.forgetInstance(this.#options.instanceId)).catch((error: unknown) => (this.#lastError = error));
    }
    await this.#shared.close();
  }

  #decideLocally(takes: readonly BucketTake[], decide: (shares: readonly BucketTake[]) => TakeOutcome): TakeOutcome {
    const outcome = decide(takes.map((take) => ({ ...take, policy: this.#share(take.policy) })));
    return {
      ...outcome,
      buckets: outcome.buckets.map((bucket, at) => {
        const { policy } = takes[at]!;
        // More than the share holds, yet not more than the limit: it will have room when the store is back.
        const fits = bucket.cost <= (policy.kind === 'gcra' ? policy.burst : policy.limit);
        const retryAfterMs = bucket.retryAfterMs === Number.POSITIVE_INFINITY && fits ? this.#options.probeMs : bucket.retryAfterMs;
        return { ...bucket, policy, retryAfterMs, mark: new LocalMark(bucket) };
      }),
    };
  }

  #share(policy: LimitPolicy): LimitPolicy {
    if (this.#sharedBy !== this.#fleet.size) {
      this.#sharedBy = this.#fleet.size;
      this.#shares = new WeakMap();
    }
    let share = this.#shares.get(policy);
    if (!share) this.#shares.set(policy, (share = shareOfPolicy(policy, this.#sharedBy)));
    return share;
  }

  #lose(error: unknown): void {
    this.#lastError = error;
    if (this.#mode === 'local' || this.#closed) return;
    this.#mode = 'local';
    this.#sinceMs = this.#clock.now();
    this.#lostAtMs = this.#clock.monotonic();
    this.#fleet.lose();
    this.#schedule();
    const { instanceId } = this.#options;
    if (storeLost.hasSubscribers) storeLost.publish({ instanceId, instances: this.#fleet.size, error });
  }

  /** A sign of life while all is well, a probe while it is not. */
  async #beat(): Promise<void> {
    const { instanceId } = this.#options;
    try {
      this.#fleet.count(await this.#inTime(() => this.#shared.reportInstance(instanceId, this.#knownForMs)));
    } catch (error) {
      this.#lose(error);
      this.#schedule();
      return;
    }
    if (this.#closed) return;
    if (this.#mode === 'local') {
      this.#mode = 'shared';
      this.#sinceMs = this.#clock.now();
      const awayMs = this.#clock.monotonic() - this.#lostAtMs;
      if (storeRecovered.hasSubscribers) storeRecovered.publish({ instanceId, instances: this.#fleet.size, awayMs });
      await this.#tellBacklog();
    }
    this.#schedule();
  }

  async #tellBacklog(): Promise<void> {
    for (let next = this.#backlog.next(); next.length > 0; next = this.#backlog.next()) {
      await this.#tell(next);
      if (this.#mode === 'local') return;
    }
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const { heartbeatMs, probeMs } = this.#options;
    this.#timer = this.#clock.setTimeout(() => void this.#beat(), this.#mode === 'shared' ? heartbeatMs : probeMs);
  }

  /** Rejects when the store takes too long; what it answers after that goes to `late`. */
  #inTime<T>(ask: () => Awaitable<T>, late?: (value: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let over = false;
      const giveUp = () => {
        over = true;
        const detail = `the store of the limits did not answer in ${this.#options.timeoutMs} ms`;
        reject(new HoldfastError('limiter_unavailable', { detail, retryAfterSeconds: 1 }));
      };
      // In a process that was held up for so long timers come first, and the answer lies in the socket: read it before giving up on who sent it.
      let timer = this.#clock.setTimeout(() => (timer = this.#clock.setTimeout(giveUp, 0)), this.#options.timeoutMs);
      // In a function of its own, so that a driver that throws at once rejects too.
      (async () => ask())().then(
        (value) => {
          timer.cancel();
          if (over) late?.(value);
          else resolve(value);
        },
        (error: unknown) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  /** The store let through what was decided locally by then: nobody will use or release it. */
  readonly #abandon = (outcome: TakeOutcome): void => {
    const settlements = outcome.buckets
      .filter((bucket) => bucket.taken && (bucket.policy.kind === 'concurrency' || bucket.policy.unit === 'tokens'))
      .map((bucket) => ({ bucket, actual: 0 }));
    if (settlements.length > 0) this.settle(settlements).catch((error: unknown) => (this.#lastError = error));
  };
}

function partition<T>(all: readonly T[], matches: (one: T) => boolean): [T[], T[]] {
  return [all.filter(matches), all.filter((one) => !matches(one))];
}

import { HoldfastError } from '../../errors/index.ts';
import type { Clock, Timer } from '../../time/index.ts';
import { parseIpRange, RangeMap, readIpRanges, type IpAddress, type IpRange } from '../ip/index.ts';
import { checkNumber, withDefaults } from '../options.ts';
import { banAdded, banEvicted, banLifted } from './announcements.ts';
import { isInForce, standingBan, type Ban } from './ban.ts';
import { BanIndex } from './ban-index.ts';
import type { BanStore } from './ban-store.ts';
import { listBans, type BanPage, type ListBansOptions } from './list-bans.ts';
import { readManualBan, type ManualBan } from './manual-ban.ts';
import { banDurationMs, readBanDurations, type BanDurations } from './options.ts';
import { StoreLink } from './store-link.ts';

export interface BanBookOptions {
  readonly store: BanStore;
  readonly clock: Clock;
  readonly durations?: BanDurations;
  /**
   * Ranges that are let through whatever covers them: addresses, CIDR ranges, `private`, `linklocal`. Name your trusted proxies here.
   * Loopback always is. Default none.
   */
  readonly neverBanned?: readonly string[];
  /** Automatic bans that are remembered, those included that ended and still count for the next; about 500 bytes each. Default 100,000. */
  readonly maxAutomaticBans?: number;
  /** How long after a failure the store is asked again. Default 1,000. */
  readonly retryMs?: number;
  /** How often what is to be forgotten is removed, in memory and store. Default 600,000. */
  readonly sweepMs?: number;
}

export const banBookDefaults = Object.freeze({ maxAutomaticBans: 100_000, retryMs: 1_000, sweepMs: 600_000 });

/** Who is shut out, and for how long. Checks are answered from memory; the store is written and heard in the background. */
export interface BanBook {
  /** Loads the bans and follows the store from then on. Rejects when the store does. */
  start(): Promise<void>;
  /** Writes what waits, unless the store is away or says nothing for 2 s, and stops following it. */
  close(): Promise<void>;
  /**
   * The ban that is to be answered: of those in force that cover the address one that a person made, else any, and of those the one that
   * ends last. Undefined lets pass, always loopback and what is never banned.
   */
  check(address: IpAddress): Ban | undefined;
  /**
   * Bans a client for a reason of a detector, at once in this instance. The ban lasts longer each time. Returns the ban in force, which is
   * the one before when there is one, or undefined for what is never banned.
   */
  ban(client: IpRange, reason: string): Ban | undefined;
  /** Bans as a person says. In force everywhere when it resolves or soon after. Throws `invalid_request` for what is no range, too wide a range, one that is never banned, or an end in the past. `context` goes to the store as it is. */
  add(ban: ManualBan, context?: unknown): Promise<Ban>;
  /** Ends the ban of exactly this range and forgets those before. Returns it; undefined when there is none in force. Throws `invalid_request` for what is no range. `context` goes to the store as it is. */
  lift(range: string, by?: string | null, context?: unknown): Promise<Ban | undefined>;
  /** The ban in force of exactly this range, as this instance knows it; undefined when there is none, or when it is no range. */
  find(range: string): Ban | undefined;
  /** The bans in force, the newest first. Throws `invalid_request` for a cursor that is none. */
  list(options?: ListBansOptions): BanPage;
  /** How many are in force; counts them. */
  count(): number;
  /** How many are in memory, those included that ended and still count for the next. */
  readonly remembered: number;
}

/** Throws `configuration_invalid`. */
export function createBanBook(options: BanBookOptions): BanBook {
  return new StoredBanBook(options);
}

class StoredBanBook implements BanBook {
  readonly #clock: Clock;
  readonly #durations: ReturnType<typeof readBanDurations>;
  readonly #neverBanned = new RangeMap<IpRange>();
  readonly #index: BanIndex;
  readonly #link: StoreLink;
  readonly #sweepMs: number;
  #sweeper: Timer | undefined;

  constructor({ store, clock, durations, neverBanned = [], ...given }: BanBookOptions) {
    const { maxAutomaticBans, retryMs, sweepMs } = withDefaults<Omit<BanBookOptions, 'store' | 'clock' | 'durations' | 'neverBanned'>>(
      'the ban book',
      banBookDefaults,
      given,
    );
    checkNumber('maxAutomaticBans', maxAutomaticBans, { min: 1, whole: true });
    checkNumber('retryMs', retryMs, { min: 1 });
    this.#sweepMs = checkNumber('sweepMs', sweepMs, { min: 1 });
    this.#clock = clock;
    this.#durations = readBanDurations(durations);
    for (const range of readIpRanges('neverBanned', ['loopback', ...neverBanned])) this.#neverBanned.set(range, range);
    this.#index = new BanIndex(maxAutomaticBans);
    this.#link = new StoreLink({
      store,
      clock,
      retryMs,
      bans: {
        stands: (ban) => this.#stands(ban),
        lifted: (text) => this.#forget(text),
        replaced: (bans, unsaved) => {
          this.#index.clear();
          for (const ban of bans) this.#stands(ban);
          for (const ban of unsaved.values()) this.#stands(standingBan(this.#known(ban.range), ban));
        },
        rememberedFromMs: () => this.#rememberedFromMs(),
      },
    });
  }

  async start(): Promise<void> {
    await this.#link.start();
    this.#sweeper = this.#clock.setTimeout(() => this.#sweep(), this.#sweepMs);
  }

  async close(): Promise<void> {
    this.#sweeper?.cancel();
    await this.#link.close();
  }

  check(address: IpAddress): Ban | undefined {
    if (this.#index.size === 0) return undefined;
    const ban = this.#index.find(address, this.#clock.now());
    // A ban of a wide range must not shut out the proxy in it, and with it everybody.
    return ban !== undefined && this.#neverBanned.covers(address) ? undefined : ban;
  }

  ban(client: IpRange, reason: string): Ban | undefined {
    if (this.#isExempt(client)) return undefined;
    const nowMs = this.#clock.now();
    const before = this.#index.get(client);
    if (before !== undefined && isInForce(before, nowMs)) return before;
    const repeats = this.#repeatsAfter(before);
    const endsAtMs = nowMs + banDurationMs(repeats, this.#durations);
    const ban: Ban = { range: client.text, reason, source: 'automatic', bannedAtMs: nowMs, endsAtMs, repeats, by: null, note: null };
    this.#set(client, ban);
    this.#link.save(ban);
    banAdded.publish({ ban });
    return ban;
  }

  async add(manual: ManualBan, context?: unknown): Promise<Ban> {
    const { range, endsAtMs, by, note } = readManualBan(manual, this.#clock.now());
    if (this.#isExempt(range))
      throw new HoldfastError('invalid_request', {
        details: [{ field: 'range', message: 'is never banned: loopback, a trusted proxy, or named as never banned' }],
      });
    const repeats = this.#repeatsAfter(this.#index.get(range));
    const ban: Ban = {
      range: range.text,
      reason: 'manual',
      source: 'manual',
      bannedAtMs: this.#clock.now(),
      endsAtMs,
      repeats,
      by,
      note,
    };
    const standing = await this.#link.put(ban, context);
    banAdded.publish({ ban: standing });
    return standing;
  }

  async lift(text: string, by: string | null = null, context?: unknown): Promise<Ban | undefined> {
    const range = parseIpRange(text);
    if (!range)
      throw new HoldfastError('invalid_request', { details: [{ field: 'range', message: 'is neither an address nor a CIDR range' }] });
    // One that the store was not told of yet is known here alone.
    const known = this.#index.get(range);
    const ban = (await this.#link.lift(range.text, context)) ?? known;
    if (ban === undefined || !isInForce(ban, this.#clock.now())) return undefined;
    banLifted.publish({ ban, by });
    return ban;
  }

  find(range: string): Ban | undefined {
    const ban = this.#known(range);
    return ban !== undefined && isInForce(ban, this.#clock.now()) ? ban : undefined;
  }

  list(options: ListBansOptions = {}): BanPage {
    return listBans(this.#inForce(), options);
  }

  count(): number {
    let count = 0;
    for (const _ of this.#inForce()) count++;
    return count;
  }

  get remembered(): number {
    return this.#index.size;
  }

  *#inForce(): IterableIterator<Ban> {
    const nowMs = this.#clock.now();
    for (const [, ban] of this.#index.entries()) if (isInForce(ban, nowMs)) yield ban;
  }

  #isExempt(range: IpRange): boolean {
    return this.#neverBanned.find(range.first, (exempt) => exempt.containsRange(range)) !== undefined;
  }

  /** An automatic ban counts for the next; one that a person made does not, and neither undoes the count. */
  #repeatsAfter(before: Ban | undefined): number {
    if (before === undefined || (before.endsAtMs !== null && before.endsAtMs <= this.#rememberedFromMs())) return 0;
    return before.source === 'automatic' ? before.repeats + 1 : before.repeats;
  }

  #rememberedFromMs(): number {
    return this.#clock.now() - this.#durations.forgetAfterMs;
  }

  #known(text: string): Ban | undefined {
    const range = parseIpRange(text);
    return range && this.#index.get(range);
  }

  #stands(ban: Ban): void {
    const range = parseIpRange(ban.range);
    // Written by who knows whom: a row that is no range bans nobody, and must not stop the others.
    if (range) this.#set(range, ban);
  }

  #set(range: IpRange, ban: Ban): void {
    const evicted = this.#index.set(range, ban);
    if (evicted === undefined) return;
    this.#link.forget(evicted.range);
    if (isInForce(evicted, this.#clock.now())) banEvicted.publish({ ban: evicted });
  }

  #forget(text: string): void {
    const range = parseIpRange(text);
    if (range) this.#index.delete(range);
  }

  #sweep(): void {
    const fromMs = this.#rememberedFromMs();
    const forgotten: IpRange[] = [];
    for (const [range, { endsAtMs }] of this.#index.entries()) if (endsAtMs !== null && endsAtMs <= fromMs) forgotten.push(range);
    for (const range of forgotten) this.#index.delete(range);
    this.#link.prune(fromMs);
    this.#sweeper = this.#clock.setTimeout(() => this.#sweep(), this.#sweepMs);
  }
}

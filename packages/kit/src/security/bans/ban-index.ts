import { RangeMap, type IpAddress, type IpRange } from '../ip/index.ts';
import { isInForce, type Ban } from './ban.ts';

interface Entry {
  ban: Ban;
  readonly range: IpRange;
  /** In the list of automatic bans; -1 for a manual one. */
  place: number;
}

/** From how many the victim is chosen. */
const candidates = 16;

/**
 * The bans in memory: found by address, and bounded. Automatic ones beyond the bound push out, of a few drawn at random, the one that ends
 * first, since forgetting it gives away least. What people banned is never pushed out: they are few, and meant.
 */
export class BanIndex {
  readonly #byRange = new RangeMap<Entry>();
  readonly #automatic: Entry[] = [];
  readonly #maxAutomatic: number;
  #draw = 1;
  #nowMs = 0;
  #strongest: Ban | undefined;
  /** Never content, so that it sees all; one function for all look-ups, since each is on the way of a request. */
  readonly #weigh = ({ ban }: Entry): boolean => {
    if (isInForce(ban, this.#nowMs) && (this.#strongest === undefined || isStronger(ban, this.#strongest))) this.#strongest = ban;
    return false;
  };

  constructor(maxAutomatic: number) {
    this.#maxAutomatic = maxAutomatic;
  }

  /** Those that ended and are not forgotten yet included. */
  get size(): number {
    return this.#byRange.size;
  }

  /** Of the bans in force that cover the address: one that a person made, else any, and of those the one that ends last. */
  find(address: IpAddress, nowMs: number): Ban | undefined {
    this.#nowMs = nowMs;
    this.#strongest = undefined;
    this.#byRange.find(address, this.#weigh);
    return this.#strongest;
  }

  get(range: IpRange): Ban | undefined {
    return this.#byRange.get(range)?.ban;
  }

  /** Returns the ban that had to go for it, if one had to. */
  set(range: IpRange, ban: Ban): Ban | undefined {
    const entry = this.#byRange.get(range);
    if (entry !== undefined && entry.ban.source === ban.source) {
      entry.ban = ban;
      return undefined;
    }
    if (entry !== undefined) this.delete(range);
    const automatic = ban.source === 'automatic';
    const evicted = automatic && this.#automatic.length >= this.#maxAutomatic ? this.#evict() : undefined;
    const added: Entry = { ban, range, place: -1 };
    if (automatic) added.place = this.#automatic.push(added) - 1;
    this.#byRange.set(range, added);
    return evicted;
  }

  delete(range: IpRange): Ban | undefined {
    const entry = this.#byRange.get(range);
    if (entry === undefined) return undefined;
    this.#byRange.delete(range);
    if (entry.place >= 0) {
      const last = this.#automatic.pop()!;
      if (last !== entry) {
        this.#automatic[entry.place] = last;
        last.place = entry.place;
      }
    }
    return entry.ban;
  }

  *entries(): IterableIterator<readonly [IpRange, Ban]> {
    for (const [range, { ban }] of this.#byRange.entries()) yield [range, ban];
  }

  clear(): void {
    this.#byRange.clear();
    this.#automatic.length = 0;
  }

  #evict(): Ban {
    let victim = this.#automatic[0]!;
    for (let seen = 0; seen < candidates; seen++) {
      this.#draw = (Math.imul(this.#draw, 1_664_525) + 1_013_904_223) >>> 0;
      const entry = this.#automatic[Math.floor((this.#draw / 0x1_0000_0000) * this.#automatic.length)]!;
      if (entry.ban.endsAtMs! < victim.ban.endsAtMs!) victim = entry;
    }
    this.delete(victim.range);
    return victim.ban;
  }
}

/** A good key may pass a detector's ban where it does not pass a person's: the former must not hide the latter. */
function isStronger(ban: Ban, other: Ban): boolean {
  if (ban.source !== other.source) return ban.source === 'manual';
  return (ban.endsAtMs ?? Number.POSITIVE_INFINITY) > (other.endsAtMs ?? Number.POSITIVE_INFINITY);
}

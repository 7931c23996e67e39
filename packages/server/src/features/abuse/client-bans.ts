import type { Ban, BanBook, ClientIp } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';

export interface ClientBansOptions {
  readonly book: Pick<BanBook, 'check'>;
  readonly clock: Clock;
  /** Whether the key is known in memory and good: no look-up, no promise. */
  readonly isRemembered: (secret: string) => boolean;
  /** Throws or rejects when the key is not good, or when nobody can tell. */
  readonly authenticate: (secret: string) => unknown;
}

/** What the door is told of a client that is banned. */
export interface ClientBan {
  readonly retryAfterSeconds: number | undefined;
  readonly passes?: (secret: string) => boolean | Promise<boolean>;
}

export interface ClientBans {
  /** From memory; undefined lets pass. */
  check(client: ClientIp): ClientBan | undefined;
}

/** Between two keys of one banned range that have to be looked up in the database. */
const lookupIntervalMs = 1_000;
const maxRanges = 10_000;

/**
 * Who is refused, and whose key is let through all the same: a good key passes a ban that a detector made, since many people may sit
 * behind the address and one of them have earned it, but never one that a person made. Guessing goes on slowly, if at all: beyond the keys
 * in memory one a second is looked up for a banned range.
 */
export function createClientBans({ book, clock, isRemembered, authenticate }: ClientBansOptions): ClientBans {
  /** When the next key of a range may be looked up, on the monotonic clock. */
  const nextLookupMs = new Map<string, number>();

  function mayLookUp(range: string): boolean {
    const nowMs = clock.monotonic();
    if (nowMs < (nextLookupMs.get(range) ?? -Infinity)) return false;
    // Forgets the oldest: at worst one more key of it is looked up.
    nextLookupMs.delete(range);
    if (nextLookupMs.size >= maxRanges) {
      for (const oldest of nextLookupMs.keys()) {
        nextLookupMs.delete(oldest);
        break;
      }
    }
    nextLookupMs.set(range, nowMs + lookupIntervalMs);
    return true;
  }

  async function isGood(secret: string): Promise<boolean> {
    try {
      await authenticate(secret);
      return true;
    } catch {
      return false;
    }
  }

  function describe(ban: Ban): ClientBan {
    const retryAfterSeconds = ban.endsAtMs === null ? undefined : Math.max(0, ban.endsAtMs - clock.now()) / 1000;
    if (ban.source === 'manual') return { retryAfterSeconds };
    return {
      retryAfterSeconds,
      passes: (secret) => isRemembered(secret) || (mayLookUp(ban.range) && isGood(secret)),
    };
  }

  return {
    check(client) {
      const ban = book.check(client.address);
      // The book knows proxies by their addresses; one that is trusted by its place is known only here.
      return ban === undefined || client.isTrustedProxy ? undefined : describe(ban);
    },
  };
}

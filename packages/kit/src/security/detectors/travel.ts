import { hash } from 'node:crypto';
import type { Clock } from '../../time/index.ts';
import type { ClientIp } from '../client-ip/index.ts';
import { checkNumber, withDefaults } from '../options.ts';
import type { CountryLookup } from './country-lookup.ts';
import type { Finding } from './finding.ts';

export interface TravelOptions {
  /** Being seen in another country within this time is told. Default 3,600,000 (an hour). */
  readonly withinMs?: number;
  /** The same two countries of a subject are told once in this time: a private network that is switched on and off is no news. Default 86,400,000. */
  readonly quietMs?: number;
  /** Subjects that are remembered. Default 50,000; about 300 bytes each. */
  readonly maxSubjects?: number;
}

export const travelDefaults = Object.freeze({ withinMs: 3_600_000, quietMs: 86_400_000, maxSubjects: 50_000 });

export interface TravelDetector {
  /** A person (not a key: those are used from many places at once) was recognised from there. */
  seen(subject: string, client: ClientIp): Finding | undefined;
  readonly size: number;
}

interface Whereabouts {
  country: string;
  seenAtMs: number;
  /** Pairs of countries that were told, and when. */
  told: Map<string, number> | undefined;
}

const mostTold = 8;

/** A change of country, which is all that an address tells; distances would say more than the databases know. Only ever flags. Throws `configuration_invalid`. */
export function createTravelDetector(clock: Clock, lookup: CountryLookup, given: TravelOptions = {}): TravelDetector {
  const { withinMs, quietMs, maxSubjects } = withDefaults<TravelOptions>('travel', travelDefaults, given);
  checkNumber('withinMs', withinMs, { min: 1 });
  checkNumber('quietMs', quietMs, { min: 0 });
  checkNumber('maxSubjects', maxSubjects, { min: 1, whole: true });
  /** In the order in which they were last seen. */
  const subjects = new Map<string, Whereabouts>();

  function isNews(where: Whereabouts, from: string, to: string, nowMs: number): boolean {
    const pair = from < to ? `${from} ${to}` : `${to} ${from}`;
    const toldAtMs = where.told?.get(pair);
    if (toldAtMs !== undefined && nowMs - toldAtMs < quietMs) return false;
    where.told ??= new Map();
    where.told.delete(pair);
    where.told.set(pair, nowMs);
    if (where.told.size > mostTold) dropFirst(where.told);
    return true;
  }

  return {
    seen(subject, client) {
      // Where a proxy stands says nothing of who is behind it.
      if (client.isTrustedProxy) return undefined;
      const country = lookup.country(client.address);
      if (country === undefined) return undefined;
      const key = subject.length > 100 ? hash('sha256', subject) : subject;
      const nowMs = clock.monotonic();
      const before = subjects.get(key);
      if (before === undefined) {
        subjects.set(key, { country, seenAtMs: nowMs, told: undefined });
        if (subjects.size > maxSubjects) dropFirst(subjects);
        return undefined;
      }
      const from = before.country;
      const elapsedMs = nowMs - before.seenAtMs;
      before.country = country;
      before.seenAtMs = nowMs;
      subjects.delete(key);
      subjects.set(key, before);
      if (from === country || elapsedMs >= withinMs || !isNews(before, from, country, nowMs)) return undefined;
      const evidence = { from, to: country, minutes: Math.round(elapsedMs / 60_000) };
      return { kind: 'implausible_travel', advice: 'flag', client: client.key.text, subject, evidence };
    },
    get size() {
      return subjects.size;
    },
  };
}

function dropFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

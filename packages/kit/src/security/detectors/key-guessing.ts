import type { Clock, Random } from '../../time/index.ts';
import { checkNumber, withDefaults } from '../options.ts';
import type { Finding } from './finding.ts';
import { KnownTable } from './known-table.ts';
import { OffenceTable } from './offence-table.ts';
import { checkCounting, type CountingOptions } from './options.ts';
import { createTokenHash } from './token-hash.ts';

export interface KeyGuessingOptions extends CountingOptions {
  /** Different keys. Default 10. */
  readonly threshold?: number;
  /** Default 300,000. */
  readonly windowMs?: number;
  /** How many times as much a client may that has used a good key in the last 24 hours: many people may sit behind its address. Default 5. */
  readonly knownFactor?: number;
  /** Default 50,000; about 250 bytes each. */
  readonly maxClients?: number;
}

export const keyGuessingDefaults = Object.freeze({ threshold: 10, windowMs: 300_000, knownFactor: 5, maxClients: 50_000 });

const knownForMs = 86_400_000;

export interface KeyGuessing {
  /** A key that nobody has was shown. Of a real one that expired or was revoked, nothing was guessed: do not tell. */
  refused(client: string, credential: string, factor?: number): Finding | undefined;
  accepted(client: string): void;
  readonly size: number;
}

/**
 * Many different keys from one client. The same key again counts nothing: a program with an old key shows it for ever. Credentials are not
 * kept, only 32 bits of a secret hash. Throws `configuration_invalid`.
 */
export function createKeyGuessing(clock: Clock, random: Random, given: KeyGuessingOptions = {}): KeyGuessing {
  const options = withDefaults<KeyGuessingOptions>('key guessing', keyGuessingDefaults, given);
  checkCounting('key guessing', options);
  checkNumber('knownFactor', options.knownFactor, { min: 1 });
  const table = new OffenceTable({ clock, threshold: options.threshold, windowMs: options.windowMs, maxKeys: options.maxClients });
  const known = new KnownTable(clock, knownForMs, options.maxClients);
  const hash = createTokenHash(random);

  return {
    refused(client, credential, factor = 1) {
      const { level, count } = table.add(client, factor, { token: hash(credential) });
      const threshold = options.threshold * (known.has(client) ? options.knownFactor : 1);
      if (level <= threshold) return undefined;
      table.drop(client);
      return { kind: 'key_guessing', advice: 'ban', client, subject: null, evidence: { keys: count } };
    },
    accepted: (client) => known.note(client),
    get size() {
      return table.size;
    },
  };
}

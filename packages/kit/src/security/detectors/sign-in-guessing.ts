import { hash } from 'node:crypto';
import type { Clock, Random } from '../../time/index.ts';
import { checkNumber, withDefaults } from '../options.ts';
import type { Finding } from './finding.ts';
import { KnownTable } from './known-table.ts';
import { OffenceTable } from './offence-table.ts';
import { checkCounting, type CountingOptions } from './options.ts';
import { createTokenHash } from './token-hash.ts';

export interface SignInGuessingOptions extends CountingOptions {
  /** Failures of one client over all accounts; the first on each account counts twice. Default 20. */
  readonly threshold?: number;
  /** For clients and pairs. Default 900,000 (15 minutes). */
  readonly windowMs?: number;
  /** Attempts of one client on one account; beyond it, as many in each window. Default 5. */
  readonly pairThreshold?: number;
  /** Failures of all clients on one account; beyond it, clients that it does not know are slowed. Default 30. */
  readonly accountThreshold?: number;
  /** Default 3,600,000 (an hour). */
  readonly accountWindowMs?: number;
  /** What a sign-in on an account under attack waits before it is looked at, from a client that the account does not know. Default 2,000. */
  readonly delayMs?: number;
  /** How long an account knows a client after a success. Default 2,592,000,000 (30 days). */
  readonly knownForMs?: number;
  /** How many times as many attempts a client has on an account that knows it. Default 4. */
  readonly knownFactor?: number;
  /** Clients, and as many pairs and accounts. Default 50,000. */
  readonly maxClients?: number;
}

export const signInGuessingDefaults = Object.freeze({
  threshold: 20,
  windowMs: 900_000,
  pairThreshold: 5,
  accountThreshold: 30,
  accountWindowMs: 3_600_000,
  delayMs: 2_000,
  knownForMs: 2_592_000_000,
  knownFactor: 4,
  maxClients: 50_000,
});

export interface SignInAttempt {
  /** False: do not look at the password, answer 429. This client has tried too often on this account; others are not affected. */
  readonly allowed: boolean;
  /** When the next attempt is allowed; 0 when this one is. */
  readonly retryAfterMs: number;
  /** Wait so long before looking. 0 for a client that the account knows, unless it is shared and many try. */
  readonly delayMs: number;
  /** The password was wrong, or there is no such account: tell both alike. Only the first word counts. */
  failed(): readonly Finding[];
  succeeded(): void;
}

export interface SignInGuessing {
  /**
   * Before the password is looked at: attempts count from their beginning, or a thousand at once would all be let through. A client that is
   * `shared`, such as a proxy that did not say for whom it asks, is slowed where another would be refused: the owner may sit behind it.
   */
  begin(client: string, account: string, shared?: boolean): SignInAttempt;
  /** The account knows this client, from a session that is stored: after a start nothing is known. */
  know(client: string, account: string): void;
  readonly size: number;
}

/**
 * Guessing of passwords. What a client does is held against the client, and against the pair of client and account; never against the
 * account, or an attacker could lock its owner out. An account under attack from many clients is flagged, and slow for clients that it
 * does not know. Throws `configuration_invalid`.
 */
export function createSignInGuessing(clock: Clock, random: Random, given: SignInGuessingOptions = {}): SignInGuessing {
  const options = readOptions(given);
  const { threshold, windowMs, pairThreshold, accountThreshold, accountWindowMs, knownFactor, maxClients: maxKeys } = options;
  const clients = new OffenceTable({ clock, threshold, windowMs, maxKeys });
  const attempts = new OffenceTable({ clock, threshold: pairThreshold, windowMs, maxKeys });
  // Drains as fast as that of clients, so that all pairs of a client together never hold more than the client: what a success takes back
  // is what the same pair had added. Somebody with an account of their own cannot wash off what they did to others.
  const failures = new OffenceTable({ clock, threshold, windowMs, maxKeys });
  const accounts = new OffenceTable({
    clock,
    threshold: accountThreshold,
    windowMs: accountWindowMs,
    maxKeys,
    highestLevel: 2 * accountThreshold,
  });
  const known = new KnownTable(clock, options.knownForMs, maxKeys);
  const told = new KnownTable(clock, accountWindowMs, maxKeys);
  const token = createTokenHash(random);

  function failed(client: string, account: string, name: string, pair: string): Finding[] {
    const findings: Finding[] = [];
    clients.add(client, 1);
    failures.add(pair, 1);
    const { level } = clients.add(client, 1, { token: token(name) });
    if (level > threshold) {
      clients.drop(client);
      findings.push({ kind: 'sign_in_guessing', advice: 'ban', client, subject: account, evidence: { score: Math.round(level) } });
    }
    const attack = accounts.add(name, 1);
    if (attack.level > accountThreshold && !told.has(name)) {
      told.note(name);
      findings.push({ kind: 'account_under_attack', advice: 'flag', client, subject: account, evidence: { failures: attack.count } });
    }
    return findings;
  }

  return {
    begin(client, account, shared = false) {
      const name = shortName(account);
      const pair = `${client} ${name}`;
      const isKnown = known.has(pair);
      const allowance = pairThreshold * (isKnown ? knownFactor : 1);
      const tooMany = attempts.level(pair) + 1 > allowance;
      if (tooMany && !shared) return refused(Math.ceil(attempts.msUntilBelow(pair, allowance - 1)));
      attempts.add(pair, 1);
      let open = true;
      return {
        allowed: true,
        retryAfterMs: 0,
        delayMs: tooMany || (!isKnown && accounts.level(name) > accountThreshold) ? options.delayMs : 0,
        failed() {
          if (!open) return [];
          open = false;
          return failed(client, account, name, pair);
        },
        succeeded() {
          if (!open) return;
          open = false;
          known.note(pair);
          attempts.drop(pair);
          const mistyped = failures.level(pair);
          clients.relieve(client, mistyped);
          accounts.relieve(name, mistyped);
          failures.drop(pair);
        },
      };
    },
    know: (client, account) => known.note(`${client} ${shortName(account)}`),
    get size() {
      return clients.size + attempts.size + failures.size + accounts.size + known.size + told.size;
    },
  };
}

function refused(retryAfterMs: number): SignInAttempt {
  return { allowed: false, retryAfterMs, delayMs: 0, failed: () => [], succeeded() {} };
}

/** Longer names cost the memory that the bound on clients is meant to bound. */
function shortName(account: string): string {
  return account.length > 100 ? hash('sha256', account) : account;
}

function readOptions(given: SignInGuessingOptions): Readonly<Required<SignInGuessingOptions>> {
  const options = withDefaults<SignInGuessingOptions>('sign-in guessing', signInGuessingDefaults, given);
  checkCounting('sign-in guessing', options);
  for (const option of ['pairThreshold', 'accountThreshold', 'accountWindowMs', 'knownFactor'] as const)
    checkNumber(option, options[option], { min: 1 });
  checkNumber('delayMs', options.delayMs, { min: 0, max: 60_000 });
  checkNumber('knownForMs', options.knownForMs, { min: 0 });
  return options;
}

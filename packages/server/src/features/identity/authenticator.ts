import { HoldfastError, isHoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import type { Principal } from '../../model/index.ts';
import { createChangeFeed } from '../../platform/change-feed/index.ts';
import { defaultKeyAuthenticatorLimits, type KeyAuthenticatorOptions } from './authenticator-options.ts';
import { keyRefused } from './events.ts';
import { isGivenSecret, maxSecretLength } from './given-secret.ts';
import { createKeyCache, createRefusalCache, type CachedKey } from './key-cache.ts';
import { isWellFormedKey } from './key-format.ts';
import { createKeyHasher, type KeyDigest } from './key-hash.ts';
import { createKeyLookup } from './key-lookup.ts';
import { createLastUsed } from './last-used.ts';
import { toPrincipal } from './stored-principal.ts';
import { createUpkeepReport } from './upkeep-report.ts';

export interface KeyAuthenticator {
  /** Begins to follow changes. Until it has, every key is looked up each time. Throws `database_unavailable`. */
  start(): Promise<void>;
  /**
   * Who the key is. At once when it is in memory, else a promise. Throws or rejects with `key_malformed`, `key_unknown`,
   * `key_expired`, `key_revoked`, or `database_unavailable` when that cannot be told.
   */
  authenticate(secret: string): Principal | Promise<Principal>;
  /** Whether the key is in memory and good: what `authenticate` would answer at once. Notes no use of it. */
  remembers(secret: string): boolean;
  /** Stops following changes and writes times of last use that are left. */
  close(): Promise<void>;
}

type Verdict = { readonly principal: Principal } | { readonly code: ErrorCode };

/**
 * A key that was revoked, rotated out or deleted is refused within 1 s on every instance while the database can be asked, by its
 * notification or by the poll, and after `maxAgeMs` at the latest. While the database is away, keys in memory go on for
 * that long (or `awayMs` longer), and any other key is answered with `database_unavailable`: never "unknown" for want of an answer.
 */
export function createKeyAuthenticator(options: KeyAuthenticatorOptions): KeyAuthenticator {
  const { directory, clock, acceptsGivenSecrets } = options;
  const limits = { ...defaultKeyAuthenticatorLimits, ...options.limits };
  const hasher = createKeyHasher(options.ring);
  const cache = createKeyCache(limits.maxKeys);
  const refusals = createRefusalCache(limits.maxRefusals);
  const lookup = createKeyLookup({ ...limits, directory, clock });
  const reportFailure = createUpkeepReport(clock);
  const lastUsed = createLastUsed({ directory, clock, intervalMs: limits.lastUsedIntervalMs, reportFailure });
  const loading = new Map<KeyDigest, Promise<Verdict>>();
  let following = false;
  /** Grows with every change that is heard of. */
  let changes = 0;
  let lastLoadedAtMs = -Infinity;

  const feed = createChangeFeed({
    ...limits,
    what: 'keys',
    source: directory,
    signal: options.signal,
    clock,
    onFailure: (error) => reportFailure('changes', error),
    wanted: () => loading.size > 0 || clock.monotonic() - lastLoadedAtMs < limits.maxAgeMs,
    // Of a key, or of an organization, all of whose keys are then looked up again. Ids are UUIDs: none is both.
    onChange(id) {
      changes += 1;
      cache.dropKey(id);
      cache.dropOrganization(id);
    },
    onOverflow() {
      changes += 1;
      cache.clear();
    },
  });

  async function load(digest: KeyDigest, digests: readonly KeyDigest[]): Promise<Verdict> {
    const changesBefore = changes;
    const key = await lookup.find(digests);
    const nowMs = clock.monotonic();
    const code =
      key === undefined
        ? 'key_unknown'
        : key.revoked
          ? 'key_revoked'
          : key.expiresAtMs !== undefined && clock.now() >= key.expiresAtMs
            ? 'key_expired'
            : undefined;
    if (key === undefined || code !== undefined) {
      const old = cache.get(digest);
      if (old) cache.drop(old);
      refusals.put(digest, code ?? 'key_unknown', nowMs + limits.refusalMs);
      return { code: code ?? 'key_unknown' };
    }
    const principal = toPrincipal(key);
    // A change may have been heard of before the answer that was read ahead of it arrived: such an answer is true of the moment
    // in which the call came in, and must not be kept.
    if (following && changes === changesBefore) {
      lastLoadedAtMs = nowMs;
      cache.put({
        digest,
        digests,
        principal,
        expiresAtUnixMs: key.expiresAtMs ?? Infinity,
        staleAtMs: nowMs + limits.maxAgeMs,
        refreshAtMs: nowMs + limits.refreshAgeMs,
        away: false,
        usedAtUnixMs: 0,
      });
    }
    return { principal };
  }

  /** Everybody who waits for the same key waits for the same answer. */
  function loadOnce(digest: KeyDigest, digests: readonly KeyDigest[]): Promise<Verdict> {
    let promise = loading.get(digest);
    if (promise === undefined) {
      promise = load(digest, digests).finally(() => loading.delete(digest));
      loading.set(digest, promise);
    }
    return promise;
  }

  function refresh(key: CachedKey, nowMs: number): void {
    key.refreshAtMs = nowMs + 1000;
    loadOnce(key.digest, key.digests).catch((error: unknown) => reportFailure('lookup', error));
  }

  async function settle(promise: Promise<Verdict>, digest: KeyDigest, wellFormed: boolean): Promise<Principal> {
    const verdict = await promise;
    if ('code' in verdict) throw refuse(verdict.code, wellFormed);
    const key = cache.get(digest);
    if (key) lastUsed.note(key, clock.now());
    return verdict.principal;
  }

  function lookUp(secret: string, digest: KeyDigest): Promise<Principal> {
    const wellFormed = isWellFormedKey(secret);
    if (!wellFormed && !(acceptsGivenSecrets && isGivenSecret(secret))) throw refuse('key_malformed', true);
    const refusal = refusals.get(digest, clock.monotonic());
    if (refusal !== undefined) throw refuse(refusal, wellFormed);
    return settle(loadOnce(digest, hasher.all(secret)), digest, wellFormed);
  }

  /** A key whose time without a word from the database is over, and which is good for longer only if there is none to be had. */
  function goOn(key: CachedKey, secret: string, nowMs: number): Principal | Promise<Principal> {
    if (clock.now() >= key.expiresAtUnixMs) throw refuse('key_expired', true);
    if (key.away) {
      // The first that was asked for it has waited for all others.
      if (nowMs >= key.refreshAtMs) refresh(key, nowMs);
      return key.principal;
    }
    return lookUp(secret, key.digest).catch((error: unknown) => {
      if (!isHoldfastError(error) || error.code !== 'database_unavailable') throw error;
      key.away = true;
      return key.principal;
    });
  }

  return {
    async start() {
      await feed.start();
      // What was asked for before this is older than the mark that changes are counted from.
      changes += 1;
      following = true;
      lastUsed.start();
    },
    authenticate(secret) {
      if (secret.length > maxSecretLength) throw refuse('key_malformed', true);
      const digest = hasher.current(secret);
      const key = cache.get(digest);
      const nowMs = clock.monotonic();
      if (key === undefined || nowMs >= key.staleAtMs + limits.awayMs) return lookUp(secret, digest);
      if (nowMs >= key.staleAtMs) return goOn(key, secret, nowMs);
      const nowUnixMs = clock.now();
      if (nowUnixMs >= key.expiresAtUnixMs) throw refuse('key_expired', true);
      if (nowMs >= key.refreshAtMs) refresh(key, nowMs);
      lastUsed.note(key, nowUnixMs);
      return key.principal;
    },
    remembers(secret) {
      if (secret.length > maxSecretLength) return false;
      const key = cache.get(hasher.current(secret));
      if (key === undefined || clock.now() >= key.expiresAtUnixMs) return false;
      return clock.monotonic() < key.staleAtMs + (key.away ? limits.awayMs : 0);
    },
    async close() {
      following = false;
      feed.close();
      cache.clear();
      await lastUsed.close();
    },
  };
}

/** A secret that is neither a key's form nor known is called malformed, whether or not it had to be looked up. */
function refuse(code: ErrorCode, wellFormed: boolean): HoldfastError {
  const shown = code === 'key_unknown' && !wellFormed ? 'key_malformed' : code;
  keyRefused.publish({ code: shown });
  return new HoldfastError(shown);
}

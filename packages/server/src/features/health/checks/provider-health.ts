import { errorTraits, type ErrorCode } from '@holdfast/kit/errors';
import { handOnAnnouncements } from '@holdfast/kit/events';
import type { WatchedMember } from '@holdfast/kit/health';
import { attemptFailed, callFinished } from '@holdfast/kit/llm';
import type { BreakerStatus } from '@holdfast/kit/resilience';
import type { Clock } from '@holdfast/kit/time';

export interface ProviderHealthOptions {
  /** Names of the providers of the configuration, as it is now. */
  readonly providers: () => readonly string[];
  /** Of targets: `provider/model`. */
  readonly breakers: () => readonly Pick<BreakerStatus, 'name' | 'state' | 'lastFailure'>[];
  readonly clock: Clock;
}

export interface ProviderHealth {
  members(): readonly WatchedMember[];
  close(): void;
}

interface Seen {
  answeredAt: number;
  failedAt: number;
  failure: ErrorCode | undefined;
  latencyMs: number | undefined;
}

/** A failure is news for so long; of a provider that nobody calls any more nothing is known. */
const failureHoldsMs = 5 * 60_000;
/** Targets that a message names at most. */
const maxNamed = 3;

/**
 * How the providers fare, by what real calls see: their breakers, and the last answer and failure of each. Nobody is called for it, so it costs
 * no token; of a provider that has not been called it says so.
 */
export function createProviderHealth({ providers, breakers, clock }: ProviderHealthOptions): ProviderHealth {
  // Bounded: a call names the provider of its target, which is one of the configuration.
  const seen = new Map<string, Seen>();
  const of = (provider: string): Seen => {
    let known = seen.get(provider);
    if (!known) seen.set(provider, (known = { answeredAt: -1, failedAt: -1, failure: undefined, latencyMs: undefined }));
    return known;
  };
  const failed = (provider: string, code: ErrorCode): void => {
    if (!speaksOfProvider(code)) return;
    const known = of(provider);
    known.failedAt = clock.monotonic();
    known.failure = code;
  };

  const stops = [
    attemptFailed.subscribe(({ target, error }) => failed(providerOf(target), error.code)),
    callFinished.subscribeLate(({ provider, outcome, errorCode, latencyMs, firstTokenMs, overheadMs }) => {
      if (provider === undefined) return;
      if (outcome === 'failed' && errorCode !== undefined) return failed(provider, errorCode);
      if (outcome !== 'completed') return;
      const known = of(provider);
      known.answeredAt = clock.monotonic();
      known.latencyMs = Math.max(0, (firstTokenMs ?? latencyMs) - overheadMs);
    }),
  ];

  function member(provider: string, targets: readonly Pick<BreakerStatus, 'name' | 'state' | 'lastFailure'>[]): WatchedMember {
    const known = seen.get(provider);
    const common = {
      name: `provider/${provider}`,
      responseTimeMs: known?.latencyMs === undefined ? null : Math.round(known.latencyMs * 1_000) / 1_000,
    };
    const away = targets.filter(({ state }) => state !== 'closed');
    if (away.length > 0) {
      const named = away.slice(0, maxNamed).map(({ name, lastFailure }) => (lastFailure ? `${name} (${lastFailure.code})` : name));
      const more = away.length > maxNamed ? ` and ${away.length - maxNamed} more` : '';
      const share = away.length === targets.length ? 'all of its targets' : `${away.length} of its ${targets.length} targets`;
      return {
        ...common,
        status: 'degraded',
        message: `calls are kept away from ${share}`,
        detail: `calls are kept away from ${named.join(', ')}${more}`,
      };
    }
    if (known && known.failedAt > known.answeredAt && clock.monotonic() - known.failedAt < failureHoldsMs)
      return { ...common, status: 'degraded', message: 'its last call failed', detail: `its last call failed (${known.failure})` };
    return { ...common, status: 'healthy', message: known && known.answeredAt >= 0 ? 'answers' : 'has not been called' };
  }

  return {
    members() {
      handOnAnnouncements();
      const targets = Map.groupBy(breakers(), ({ name }) => providerOf(name));
      return providers().map((provider) => member(provider, targets.get(provider) ?? []));
    },
    close: () => {
      for (const stop of stops) stop();
    },
  };
}

function providerOf(target: string): string {
  return target.slice(0, target.indexOf('/'));
}

/** What a client did wrong is no word about the provider; that it limits or refuses us is. */
function speaksOfProvider(code: ErrorCode): boolean {
  return (
    code === 'provider_rate_limited' || (errorTraits(code).status >= 500 && code !== 'internal_error' && code !== 'ledger_unavailable')
  );
}

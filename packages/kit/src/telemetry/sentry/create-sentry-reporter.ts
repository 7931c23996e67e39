import { Scope } from '@sentry/core';
import { HoldfastError } from '../../errors/index.ts';
import { httpErrorRaised, type HttpErrorRaised } from '../../events/index.ts';
import { sleep, systemClock } from '../../time/index.ts';
import { asError } from './as-error.ts';
import { Breadcrumbs, type Crumb } from './breadcrumbs.ts';
import { sentryDefaults, type SentryOptions } from './options.ts';
import { createSentryClient } from './sentry-client.ts';
import { SentrySender } from './drivers/http/index.ts';

/** In errors, since the start. */
export interface ReportCounts {
  /** Handed to the library, which may still leave them out by its sample rate, or when Sentry says that it has enough. */
  reported: number;
  /** Above the bound of a minute. */
  dropped: number;
}

export interface ErrorReporter {
  /** Reports what was thrown, in a later turn of the event loop. Never throws. */
  report(error: unknown, about?: ErrorContext): void;
  /** Remembers something that a later report may be understood by. */
  addCrumb(crumb: Crumb): void;
  /** Reports errors of requests from now on. Returns the function that ends it. */
  listen(): () => void;
  readonly counts: Readonly<ReportCounts>;
  /** Waits for what is under way, up to `timeoutMs` (default 2,000), and ends. */
  close(timeoutMs?: number): Promise<void>;
}

export interface ErrorContext {
  /** Default `error`. */
  readonly level?: 'warning' | 'error' | 'fatal';
  /** Words that are few: what one looks for by. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
  /** Of the person or key, before it is made a pseudonym. */
  readonly userId?: string | undefined;
}

const maxCrumbs = 100;
const dsnForm = /^https?:\/\/\w+(?::\w*)?@[^\s/@]+(?:\/[^\s/@]+)*\/\w+$/;

/**
 * Sends errors to Sentry by its own library, which has to be installed: `@sentry/core` 11. Each is masked as log lines are; a user is a pseudonym, and
 * the request is not in it. A Sentry that is slow, full or away costs nobody anything but the report. Throws `configuration_invalid`.
 */
export function createSentryReporter(options: SentryOptions): ErrorReporter {
  const { clock = systemClock, pseudonymOf = () => undefined, onReport, ...given } = options;
  const { categories, maxPerMinute, timeoutMs, sampleRate, dsn, environment, release } = { ...sentryDefaults, ...given };
  // Looked at here first: the library prints one that it cannot use, and its key with it.
  if (!dsnForm.test(dsn))
    throw new HoldfastError('configuration_invalid', { detail: 'the DSN of Sentry is none: expected https://<key>@<host>/<project>' });
  const sender = new SentrySender({ clock, timeoutMs });
  const client = createSentryClient({ dsn, environment, release, sampleRate }, sender);
  const crumbs = new Breadcrumbs(maxCrumbs);
  const counts: ReportCounts = { reported: 0, dropped: 0 };
  let minuteEndsAt = 0;
  let inMinute = 0;
  let closed = false;
  let deferred = 0;
  let whenNoneDeferred: (() => void) | undefined;

  function hasRoom(): boolean {
    const now = clock.monotonic();
    if (now >= minuteEndsAt) {
      minuteEndsAt = now + 60_000;
      inMinute = 0;
    }
    return ++inMinute <= maxPerMinute;
  }

  function send(error: unknown, about: ErrorContext): void {
    const scope = new Scope();
    scope.setClient(client);
    scope.setLevel(about.level ?? 'error');
    scope.setTags({ ...about.tags, ...(about.requestId !== undefined && { request_id: about.requestId }) });
    if (about.traceId !== undefined) scope.setPropagationContext({ traceId: about.traceId, sampleRand: 0 });
    const user = about.userId === undefined ? undefined : pseudonymOf(about.userId);
    if (user !== undefined) scope.setUser({ id: user });
    for (const { atMs, category, message, level, data } of crumbs.of(about.requestId))
      scope.addBreadcrumb({ category, message, level, timestamp: atMs / 1000, ...(data && { data: { ...data } }) }, maxCrumbs);
    scope.captureException(asError(error), { mechanism: { type: 'holdfast', handled: about.level !== 'fatal' } });
  }

  const reporter: ErrorReporter = {
    counts,
    report(error, about = {}) {
      if (closed || !hasRoom()) {
        counts.dropped++;
        onReport?.('dropped');
        return;
      }
      counts.reported++;
      onReport?.('reported');
      deferred++;
      // To read a stack and mask an event takes a millisecond, which is not the request's to wait for.
      setImmediate(() => {
        try {
          send(error, about);
        } catch {
          // A report must not become an error of its own. The log has it.
        }
        if (--deferred === 0) whenNoneDeferred?.();
      });
    },
    addCrumb: (crumb) => crumbs.add(crumb, clock.now()),
    listen: () =>
      httpErrorRaised.subscribe((event) => void (categories.includes(event.category) && reporter.report(event.error, contextOf(event)))),
    async close(closeTimeoutMs = 2_000) {
      closed = true;
      const bound = new AbortController();
      const tooLate = sleep(clock, closeTimeoutMs, bound.signal).catch(() => {});
      const none = new Promise<void>((resolve) => (deferred === 0 ? resolve() : (whenNoneDeferred = resolve)));
      await Promise.race([none.then(() => client.close(closeTimeoutMs)), tooLate]);
      bound.abort();
      await sender.close();
    },
  };
  return reporter;
}

function contextOf({ code, category, method, route, requestId, traceId, userId, keyId }: HttpErrorRaised): ErrorContext {
  return {
    tags: { code, category, method, ...(route !== undefined && { route }) },
    requestId,
    traceId,
    userId: userId ?? keyId,
  };
}

/** Where traces go, and what it takes to be let in. */
export interface TraceReceiver {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Sentry's own address for traces by OTLP, which follows from the DSN (https://docs.sentry.io/concepts/otlp/direct/traces/): so they need no second
 * library, and no second kind of span. `dsn` as the configuration has checked it.
 */
export function sentryTraceReceiver(dsn: string): TraceReceiver {
  const { protocol, host, pathname, username } = new URL(dsn);
  const at = pathname.lastIndexOf('/');
  return {
    url: `${protocol}//${host}${pathname.slice(0, at)}/api/${pathname.slice(at + 1)}/integration/otlp/v1/traces`,
    headers: { 'x-sentry-auth': `sentry sentry_key=${username}` },
  };
}

import { findingOf, type Finding } from './finding.ts';

/** What is looked at of a configuration: words and numbers, never a secret. */
export interface ConfigurationFacts {
  /** The API is reachable from other machines. */
  readonly listensOutside: boolean;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly drainTimeoutMs: number;
  readonly hasHealthPort: boolean;
  readonly logLevel: string;
  /** undefined: no metrics are served. */
  readonly metrics: { readonly hasToken: boolean } | undefined;
  readonly rateLimits: { readonly enabled: boolean; readonly shadow: boolean };
  readonly abuse: { readonly enabled: boolean; readonly shadow: boolean };
  readonly overload: boolean;
  /** Of DATABASE_URL and REDIS_URL: undefined when not set. */
  readonly database: RemoteFacts | undefined;
  readonly redis: RemoteFacts | undefined;
  readonly providers: readonly { readonly name: string; readonly sandbox: boolean; readonly baseUrl: string | undefined }[];
  readonly models: readonly { readonly name: string; readonly targets: readonly string[] }[];
  /** Targets of the configuration whose price is not known. */
  readonly targetsWithoutPrice: readonly string[];
  readonly instances: number | undefined;
  /** Settings that a reload changed and only a restart puts in force. */
  readonly restartRequired: readonly string[];
}

export interface RemoteFacts {
  readonly isLocal: boolean;
  readonly asksForTls: boolean;
}

/** Names in a finding at most. */
const maxNames = 20;

/** What of the configuration is insecure, or at odds with itself or with where it runs. */
export function examineConfiguration(facts: ConfigurationFacts): Finding[] {
  const findings: Finding[] = [];
  const add = (is: boolean, ...found: Parameters<typeof findingOf>): void => {
    if (is) findings.push(findingOf(...found));
  };
  const names = (list: readonly string[]): { readonly names: readonly string[]; readonly count: number } => ({
    names: list.slice(0, maxNames),
    count: list.length,
  });
  const everybody = facts.trustedProxies.filter((range) => range.endsWith('/0'));
  add(everybody.length > 0, 'trusts_every_proxy', { ranges: everybody });
  const clear = facts.providers.filter(({ baseUrl }) => baseUrl !== undefined && isClearText(baseUrl)).map(({ name }) => name);
  add(clear.length > 0, 'provider_without_tls', names(clear));
  add(isUnsafe(facts.database), 'database_without_tls');
  add(isUnsafe(facts.redis), 'redis_without_tls');
  add(facts.corsOrigins.includes('*'), 'cors_any_origin');
  add(facts.listensOutside && facts.metrics?.hasToken === false, 'metrics_open');
  add(!facts.rateLimits.enabled, 'rate_limits_off');
  add(facts.rateLimits.enabled && facts.rateLimits.shadow, 'rate_limits_in_shadow');
  add(!facts.abuse.enabled, 'abuse_off');
  add(facts.abuse.enabled && facts.abuse.shadow, 'abuse_in_shadow');
  add(!facts.overload, 'overload_off');
  add(facts.logLevel === 'debug' || facts.logLevel === 'trace', 'log_verbose', { level: facts.logLevel });
  add(facts.listensOutside && facts.drainTimeoutMs > 25_000, 'drain_at_grace_period', { drain_timeout_ms: facts.drainTimeoutMs });
  add(facts.listensOutside && !facts.hasHealthPort, 'probes_wait_for_calls');
  add(facts.redis === undefined && (facts.instances ?? 1) > 1, 'instances_without_redis', { instances: facts.instances ?? null });
  const sandboxes = facts.providers.filter(({ sandbox }) => sandbox).map(({ name }) => name);
  add(sandboxes.length > 0 && sandboxes.length < facts.providers.length, 'sandbox_beside_providers', names(sandboxes));
  const alone = facts.models.filter(({ targets }) => targets.length === 1).map(({ name }) => name);
  add(alone.length > 0, 'models_without_fallback', names(alone));
  add(facts.targetsWithoutPrice.length > 0, 'models_without_price', names(facts.targetsWithoutPrice));
  add(facts.restartRequired.length > 0, 'restart_waits', { settings: facts.restartRequired });
  return findings;
}

function isUnsafe(remote: RemoteFacts | undefined): boolean {
  return remote !== undefined && !remote.isLocal && !remote.asksForTls;
}

function isClearText(baseUrl: string): boolean {
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === 'http:' && !isLocalHost(hostname);
}

/** This machine itself, where nobody listens in between. */
export function isLocalHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.startsWith('127.') ||
    hostname === '::1' ||
    hostname === '[::1]' ||
    hostname.startsWith('/') ||
    hostname === ''
  );
}

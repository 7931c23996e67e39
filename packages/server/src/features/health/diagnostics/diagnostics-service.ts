import { toHoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import type { Principal } from '../../../model/index.ts';
import type { DatabaseFacts } from '../../../platform/postgres/index.ts';
import { examineProviderCalls, type ProviderCall } from './call-providers.ts';
import { examineConfiguration, type ConfigurationFacts } from './examine-configuration.ts';
import { examineDatabase } from './examine-database.ts';
import { examineDependencies, examineProcess, type DependencyFacts, type ProcessFacts } from './examine-process.ts';
import { findingOf, type Finding } from './finding.ts';
import type { FindingSeverity } from './finding-table.ts';

export interface DiagnosticsOptions {
  readonly clock: Clock;
  readonly configuration: (instances: number | undefined) => ConfigurationFacts;
  readonly database: () => Promise<DatabaseFacts>;
  /** How many live on the database. */
  readonly countInstances: () => Promise<number>;
  /** What one instance may open. */
  readonly maxConnections: number;
  readonly process: () => Promise<ProcessFacts>;
  readonly minFreeBytes: number;
  readonly dependencies: () => DependencyFacts;
  /** Makes a real call of each provider. */
  readonly callProviders: (principal: Principal, requestId: string) => Promise<readonly ProviderCall[]>;
}

export interface Diagnosis {
  /** `unhealthy` with a critical finding, `degraded` with a warning. */
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly checkedAt: number;
  readonly durationMs: number;
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** Undefined when it did not answer. */
  readonly database: DatabaseFacts | undefined;
  readonly process: ProcessFacts;
  /** Undefined when they were not to be called. */
  readonly providers: readonly ProviderCall[] | undefined;
}

export interface Diagnostics {
  /** One at a time: whoever asks meanwhile gets the answer of the one that runs, unless providers are to be called for it and were not. */
  run(asked: { readonly callProviders: boolean; readonly principal: Principal; readonly requestId: string }): Promise<Diagnosis>;
}

const rank: Readonly<Record<FindingSeverity, number>> = { critical: 0, warning: 1, info: 2 };

export function createDiagnostics(options: DiagnosticsOptions): Diagnostics {
  const { clock } = options;
  let running: Promise<Omit<Diagnosis, 'providers' | 'status'>> | undefined;

  async function examine(): Promise<Omit<Diagnosis, 'providers' | 'status'>> {
    const checkedAt = clock.now();
    const startedMs = clock.monotonic();
    const [instances, database, ofProcess] = await Promise.all([
      options.countInstances().catch(() => undefined),
      options.database().catch((error: unknown) => toHoldfastError(error)),
      options.process(),
    ]);
    const unreachable = database instanceof Error;
    const findings = [
      ...examineConfiguration(options.configuration(instances)),
      ...(unreachable
        ? [findingOf('database_unreachable', { error_code: database.code })]
        : examineDatabase(database, { maxConnections: options.maxConnections, instances })),
      ...examineProcess(ofProcess, options.minFreeBytes),
      ...examineDependencies(options.dependencies()),
    ];
    const durationMs = Math.round((clock.monotonic() - startedMs) * 1_000) / 1_000;
    return { checkedAt, durationMs, findings, database: unreachable ? undefined : database, process: ofProcess };
  }

  return {
    async run({ callProviders, principal, requestId }) {
      running ??= examine().finally(() => (running = undefined));
      // Paid for by whoever asked, so never shared.
      const [examined, providers] = await Promise.all([running, callProviders ? options.callProviders(principal, requestId) : undefined]);
      const findings = [...examined.findings, ...examineProviderCalls(providers ?? [])].sort((a, b) => rank[a.severity] - rank[b.severity]);
      const worst = findings[0]?.severity;
      return {
        ...examined,
        status: worst === 'critical' ? 'unhealthy' : worst === 'warning' ? 'degraded' : 'healthy',
        findings,
        providers,
      };
    },
  };
}

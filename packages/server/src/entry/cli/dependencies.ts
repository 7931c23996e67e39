import type {
  AcknowledgeAlertRequest,
  AlertBody,
  AlertDeliveryPage,
  AlertPage,
  AlertRulesBody,
  AlertSilenceBody,
  AlertSilencePage,
  AlertTestResultsBody,
  AuditEventPage,
  AuditEventsQuery,
  AuditExportQuery,
  AuditKeysBody,
  AuditReportBody,
  AuditReportName,
  AuditReportQuery,
  CircuitBreakerListBody,
  CloseCircuitBreakerRequest,
  CostPage,
  CostQuery,
  CreateAlertSilenceRequest,
  ListAlertDeliveriesQuery,
  ListAlertsQuery,
  DiagnosisBody,
  EndpointTestReportBody,
  ErasedPersonalDataBody,
  ErasePersonalDataRequest,
  HealthReport,
  MovedCircuitBreakerBody,
  OpenCircuitBreakerRequest,
  LogLevelStateBody,
  RateLimitListBody,
  RateLimitsQuery,
  ReloadReportBody,
  RequestLogDetail,
  RequestLogPage,
  RequestLogQuery,
  SetLogLevelRequest,
  UsagePage,
  UsageQuery,
} from '@holdfast/contracts';
import type { TreeHead } from '@holdfast/kit/audit/verify';
import type { BanBook } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration, ConfigurationSource, Variables } from '../../config/index.ts';
import type { BanIds } from '../../features/abuse/index.ts';
import type { AuditExport, DatabaseReport, Publication, RotatedKeys } from '../../features/audit/index.ts';
import type { BudgetService } from '../../features/costs/budgets/index.ts';
import type { CallSelection, ReconcileReport, RepriceReport } from '../../features/costs/index.ts';
import type { KeyAdministration, OrganizationService } from '../../features/identity/index.ts';

/** What the commands need done. `main.ts` gives it; commands parse, call and show. */
export interface CliDependencies {
  /** Of the package: `1.2.3`. */
  readonly version: string;
  /** Absolute. */
  readonly cwd: string;
  readonly clock: Clock;
  /** Called once, by a command that needs a configuration: `--help` is not to fail on a broken `.env`. */
  readonly environment: () => Variables;
  /** Serves until it is told to stop; resolves with the exit code. */
  readonly serve: (source: ConfigurationSource) => Promise<number>;
  /** Opens what keys need, lets `work` use it, and closes it, also when `work` fails. */
  readonly keys: <Result>(configuration: Configuration, work: (keys: KeyAdministration) => Promise<Result>) => Promise<Result>;
  /** As `keys`, of organizations. */
  readonly organizations: <Result>(
    configuration: Configuration,
    work: (organizations: OrganizationService) => Promise<Result>,
  ) => Promise<Result>;
  /** As `keys`, of budgets. */
  readonly budgets: <Result>(
    configuration: Configuration,
    work: (budgets: { readonly service: BudgetService; readonly organizations: OrganizationService }) => Promise<Result>,
  ) => Promise<Result>;
  /** As `keys`, of bans. */
  readonly bans: <Result>(
    configuration: Configuration,
    work: (bans: Pick<BanBook, 'list' | 'find' | 'add' | 'lift'>, ids: BanIds) => Promise<Result>,
  ) => Promise<Result>;
  /** What the log called an address at a moment, in Unix milliseconds; undefined for what is no address. */
  readonly pseudonym: (configuration: Configuration, address: string, unixMs: number) => Promise<string | undefined>;
  /** Asks the server that the configuration or the environment names. */
  readonly breakers: (configuration: Configuration, env: Variables) => Promise<BreakerCommands>;
  readonly limits: (configuration: Configuration, env: Variables) => Promise<LimitCommands>;
  readonly alerts: (configuration: Configuration, env: Variables) => Promise<AlertCommands>;
  /** Sends a test through the channels of the configuration, or one of them; no server is needed. */
  readonly testAlerts: (configuration: Configuration, channel: string | undefined) => Promise<AlertTestResultsBody>;
  /** As `reload`. */
  readonly health: (configuration: () => Configuration, env: Variables) => Promise<HealthCommands>;
  /** As `breakers`. `configuration` is loaded only when the environment does not say where the server is. */
  readonly reload: (configuration: () => Configuration, env: Variables) => Promise<ReloadReportBody>;
  /** As `reload`. */
  readonly logLevel: (configuration: () => Configuration, env: Variables) => Promise<LogLevelCommands>;
  /** As `reload`. */
  readonly erasePersonalData: (
    configuration: () => Configuration,
    env: Variables,
  ) => Promise<(request: ErasePersonalDataRequest) => Promise<ErasedPersonalDataBody>>;
  /** Opens the request log, lets `work` read it, and closes it. */
  readonly requestLog: <Result>(configuration: Configuration, work: (log: RequestLogReader) => Promise<Result>) => Promise<Result>;
  /** As `keys`, of the audit log. */
  readonly audit: <Result>(configuration: Configuration, work: (audit: AuditCommands) => Promise<Result>) => Promise<Result>;
  /** Opens the ledger, lets `work` read pages of it, and closes it. */
  readonly usage: <Result>(configuration: Configuration, work: (read: UsageReader) => Promise<Result>) => Promise<Result>;
  /** As `usage`, of costs. */
  readonly costs: <Result>(configuration: Configuration, work: (costs: CostCommands) => Promise<Result>) => Promise<Result>;
}

/** Sums, prices again, and comparison with a provider, for whoever has the machine. */
export interface CostCommands {
  sums(query: CostQuery, organizationId: string | undefined): Promise<CostPage>;
  reprice(selection: CallSelection, options: { readonly apply: boolean }): Promise<RepriceReport>;
  /** `text` is an export of a provider. */
  reconcile(text: string, options: { readonly apply: boolean }): Promise<ReconcileReport>;
}

/** The alerts of a running server. */
export interface AlertCommands {
  list(query: Partial<ListAlertsQuery>): Promise<AlertPage>;
  rules(): Promise<AlertRulesBody>;
  deliveries(query: Partial<ListAlertDeliveriesQuery>): Promise<AlertDeliveryPage>;
  acknowledge(id: string, request: AcknowledgeAlertRequest): Promise<AlertBody>;
  silences(limit: number): Promise<AlertSilencePage>;
  silence(request: CreateAlertSilenceRequest): Promise<AlertSilenceBody>;
  endSilence(id: string): Promise<AlertSilenceBody>;
}

/** How full the limits of a running server are. */
export interface LimitCommands {
  list(query: RateLimitsQuery): Promise<RateLimitListBody>;
  /** Those of the key that asks. */
  self(): Promise<RateLimitListBody>;
}

/** How a running server fares. */
export interface HealthCommands {
  detailed(): Promise<HealthReport>;
  /** Calls of providers are paid for. */
  diagnose(callProviders: boolean): Promise<DiagnosisBody>;
  testEndpoints(): Promise<EndpointTestReportBody>;
}

/** The breakers of a running server. */
export interface BreakerCommands {
  list(): Promise<CircuitBreakerListBody>;
  open(request: OpenCircuitBreakerRequest): Promise<MovedCircuitBreakerBody>;
  close(request: CloseCircuitBreakerRequest): Promise<MovedCircuitBreakerBody>;
}

/** What a running server logs. */
export interface LogLevelCommands {
  get(): Promise<LogLevelStateBody>;
  set(request: SetLogLevelRequest): Promise<LogLevelStateBody>;
}

/** The request log. */
export interface RequestLogReader {
  list(query: RequestLogQuery): Promise<RequestLogPage>;
  find(id: string): Promise<RequestLogDetail>;
}

/** The audit log, of the whole instance. */
export interface AuditCommands {
  list(query: AuditEventsQuery): Promise<AuditEventPage>;
  prove(id: string): Promise<string>;
  checkpoint(): Promise<string>;
  keys(): Promise<AuditKeysBody>;
  export(query: AuditExportQuery): Promise<AuditExport>;
  report(name: AuditReportName, query: AuditReportQuery): Promise<{ readonly body: AuditReportBody; readonly page: string }>;
  /** Makes new keys that sign from now on, and deletes the private halves of the old ones. */
  rotateKeys(): Promise<RotatedKeys>;
  /** Into the folder instead of where the configuration says, when there is one. */
  publish(folder: string | undefined): Promise<readonly Publication[]>;
  verify(options: {
    readonly verifierKeys: readonly string[];
    readonly kept: readonly TreeHead[];
    readonly onProgress: (progress: { readonly events: number; readonly of: number }) => void;
  }): Promise<DatabaseReport>;
}

export type UsageReader = (query: UsageQuery) => Promise<UsagePage>;

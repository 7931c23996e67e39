import { handOnAnnouncements, httpRequestFinished, operationSlow, type HttpRequestFinished } from '../../events/index.ts';
import { callFinished, type CallFinished } from '../../llm/spec/index.ts';
import type { Clock } from '../../time/index.ts';
import type { JudgedKind } from './kinds.ts';
import { countIn, MetricsWindow, type WindowRecord } from './metrics-window.ts';
import { performanceDefaults, type PerformanceTrackerOptions } from './options.ts';
import { otherName } from './series.ts';
import { UsageTable } from './usage-table.ts';

export interface DatabaseQuery {
  /** `select`, `insert`, … : of few, as the table. */
  readonly operation: string;
  readonly table: string;
  readonly durationMs: number;
  readonly failed?: boolean;
}

export interface LlmRequest {
  readonly provider: string;
  readonly model: string;
  readonly durationMs: number;
  readonly failed?: boolean;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  /** 10⁻⁹ US dollars. */
  readonly costNanoUsd?: number;
  /** To the first event of a stream. */
  readonly firstTokenMs?: number;
}

export interface CacheOperation {
  readonly cache: string;
  /** `get`, `set`, `delete`, … */
  readonly operation: string;
  readonly durationMs: number;
  /** Of a lookup: whether it found something. */
  readonly hit?: boolean;
  readonly failed?: boolean;
}

/** A minute as one process saw it. The key of a stored row is `source` and `minute`: what is written later replaces what was before. */
export interface MinuteRecord {
  readonly source: string;
  /** Unix milliseconds at which it began. */
  readonly minute: number;
  readonly record: WindowRecord;
  /** Grows with what the minute has seen. */
  readonly revision: number;
}

export interface Usage {
  readonly users: UsageTable;
  readonly organizations: UsageTable;
  readonly keys: UsageTable;
}

/**
 * How long things take, and who uses them, in windows of a minute. Nothing is kept of a single event: an observation costs a few
 * lookups and one increment of a bucket. It serves those that look from inside of the process (`window`) and those that store
 * minutes (`unsaved`).
 */
export interface PerformanceTracker {
  /**
   * Does the work, measures it under the name, and returns or throws what it does; a promise is measured to its end. Names MUST be few.
   */
  monitorPerformance<Result>(name: string, work: () => Result): Result;
  trackDatabaseQuery(query: DatabaseQuery): void;
  trackLlmRequest(request: LlmRequest): void;
  trackCache(operation: CacheOperation): void;
  recordRequest(event: HttpRequestFinished): void;
  recordCall(event: CallFinished): void;
  /** A number that is looked at from time to time, such as the memory in use. Names MUST be few. */
  sample(name: string, value: number): void;
  /** Tracks what the channels announce from now on. Returns the function that ends it. */
  listen(): () => void;
  /** The last minutes in one, the current one included; at most the history. A copy: it stays as it is. */
  window(minutes: number): MetricsWindow;
  /** The same of who used what. */
  usage(minutes: number): Usage;
  /** Since when this process has counted, in Unix milliseconds. */
  readonly startedAt: number;
  /** The minutes that have something that `markSaved` has not been told of, oldest first; the current one is the last. */
  unsaved(): readonly MinuteRecord[];
  markSaved(minutes: readonly Pick<MinuteRecord, 'source' | 'minute' | 'revision'>[]): void;
  /** Every minute that is still here, saved or not. */
  minutes(): readonly MinuteRecord[];
  /** Minutes that were forgotten before they were saved. */
  readonly lostMinutes: number;
}

const minuteMs = 60_000;
const statusClasses = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'];
/** Methods that stand by themselves: a client can send any word at all. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

interface Minute {
  readonly source: string;
  readonly minute: number;
  /** Undefined once it is over: its record says the same in a tenth of the memory. */
  window: MetricsWindow | undefined;
  record: WindowRecord | undefined;
  readonly usage: Usage;
  revision: number;
  savedRevision: number;
}

export function createPerformanceTracker(options: PerformanceTrackerOptions): PerformanceTracker {
  return new Tracker(options);
}

class Tracker implements PerformanceTracker {
  readonly startedAt: number;
  readonly #clock: Clock;
  readonly #createId: () => string;
  readonly #slowMs: Readonly<Record<JudgedKind, number>>;
  readonly #isKnownModel: (name: string) => boolean;
  readonly #historyMinutes: number;
  readonly #maxSeries: number;
  readonly #maxUsers: number;
  #source: string;
  #current: Minute;
  /** Those that are over, oldest first. */
  readonly #past: Minute[] = [];
  #lost = 0;

  constructor(options: PerformanceTrackerOptions) {
    this.#clock = options.clock;
    this.#createId = options.createId;
    this.#slowMs = { ...performanceDefaults.slowMs, ...options.slowMs };
    this.#isKnownModel = options.isKnownModel ?? (() => false);
    this.#historyMinutes = options.historyMinutes ?? performanceDefaults.historyMinutes;
    this.#maxSeries = options.maxSeries ?? performanceDefaults.maxSeries;
    this.#maxUsers = options.maxUsers ?? performanceDefaults.maxUsers;
    this.startedAt = this.#clock.now();
    this.#source = this.#createId();
    this.#current = this.#begin(this.startedAt);
  }

  get lostMinutes(): number {
    return this.#lost;
  }

  monitorPerformance<Result>(name: string, work: () => Result): Result {
    const startedAt = this.#clock.monotonic();
    let result: Result;
    try {
      result = work();
    } catch (thrown) {
      this.#observeOperation(name, startedAt, true);
      throw thrown;
    }
    if (!isPromise(result)) {
      this.#observeOperation(name, startedAt, false);
      return result;
    }
    return result.then(
      (value) => {
        this.#observeOperation(name, startedAt, false);
        return value;
      },
      (reason: unknown) => {
        this.#observeOperation(name, startedAt, true);
        throw reason;
      },
    ) as Result;
  }

  trackDatabaseQuery({ operation, table, durationMs, failed = false }: DatabaseQuery): void {
    this.#observe('database', operation, table, durationMs, failed);
  }

  trackLlmRequest(request: LlmRequest): void {
    const { provider, durationMs, failed = false } = request;
    const model = this.#isKnownModel(request.model) ? request.model : otherName;
    const { sums } = this.#observe('model_call', provider, model, durationMs, failed);
    sums[0]! += request.promptTokens ?? 0;
    sums[1]! += request.completionTokens ?? 0;
    sums[3]! += request.costNanoUsd ?? 0;
    sums[5]!++;
    if (request.firstTokenMs !== undefined) this.#current.window!.series.first_token.at(provider, model).sketch.add(request.firstTokenMs);
  }

  trackCache({ cache, operation, durationMs, hit, failed = false }: CacheOperation): void {
    const { sums } = this.#observe('cache', cache, operation, durationMs, failed);
    if (hit !== undefined) sums[hit ? 0 : 1]!++;
  }

  recordRequest(event: HttpRequestFinished): void {
    const { window, usage } = this.#now();
    const { latencyMs, status } = event;
    const method = methods.has(event.method) ? event.method : otherName;
    const route = event.route ?? 'unmatched';
    const series = window!.series.request.at(method, route);
    // A server that stops refuses in order.
    const failed = status >= 500 && event.errorCode !== 'draining';
    series.sketch.add(latencyMs);
    series.sums[0]! += event.requestBytes;
    series.sums[1]! += event.responseBytes;
    if (failed) series.failures++;
    countIn(window!.statuses, statusClasses[Math.trunc(status / 100)] ?? 'other');
    if (event.errorCategory !== undefined) countIn(window!.errors, event.errorCategory);
    if (event.organizationId !== undefined) addRequest(usage.organizations, event.organizationId, latencyMs, failed);
    if (event.keyId !== undefined) addRequest(usage.keys, event.keyId, latencyMs, failed);
    if (event.userId !== undefined) addRequest(usage.users, event.userId, latencyMs, failed);
    // How long a model takes is judged by a threshold of its own, when the call is announced.
    if (latencyMs >= this.#slowMs.request && event.notes?.['call_id'] === undefined) {
      series.slow++;
      this.#announceSlow('request', `${method} ${route}`, latencyMs, failed, event);
    }
  }

  recordCall(event: CallFinished): void {
    const { window, usage } = this.#now();
    const { latencyMs, firstTokenMs } = event;
    const model = this.#isKnownModel(event.modelAsked) ? event.modelAsked : otherName;
    const provider = event.provider ?? 'none';
    const { model_call, first_token, overhead } = window!.series;
    const call = model_call.at(provider, model);
    const failed = event.outcome === 'failed' || event.outcome === 'interrupted';
    call.sketch.add(latencyMs);
    if (failed) call.failures++;
    overhead.at(provider, model).sketch.add(event.overheadMs);
    if (firstTokenMs !== undefined) first_token.at(provider, model).sketch.add(firstTokenMs);
    const { promptTokens = 0, completionTokens = 0, cachedTokens = 0 } = event.usage ?? {};
    const cost = event.costNanoUsd ?? 0;
    const { sums } = call;
    sums[0]! += promptTokens;
    sums[1]! += completionTokens;
    sums[2]! += cachedTokens;
    sums[3]! += cost;
    if (event.usage !== undefined && event.costNanoUsd === null) sums[4]!++;
    sums[5]! += event.attempts;
    addCall(usage.organizations, event.organizationId, promptTokens, completionTokens, cost);
    addCall(usage.keys, event.keyId, promptTokens, completionTokens, cost);
    if (event.userId !== undefined) addCall(usage.users, event.userId, promptTokens, completionTokens, cost);
    if (latencyMs >= this.#slowMs.model_call) {
      call.slow++;
      this.#announceSlow('model_call', `${provider} ${model}`, latencyMs, failed, event);
    }
  }

  sample(name: string, value: number): void {
    this.#now().window!.sample(name, value);
  }

  listen(): () => void {
    const stops = [
      httpRequestFinished.subscribeLate((event) => this.recordRequest(event)),
      callFinished.subscribeLate((event) => this.recordCall(event)),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  window(minutes: number): MetricsWindow {
    const merged = new MetricsWindow(this.#maxSeries);
    for (const minute of this.#lastMinutes(minutes)) merged.merge(recordOf(minute));
    return merged;
  }

  usage(minutes: number): Usage {
    const merged = this.#newUsage();
    for (const { usage } of this.#lastMinutes(minutes)) {
      merged.users.merge(usage.users);
      merged.organizations.merge(usage.organizations);
      merged.keys.merge(usage.keys);
    }
    return merged;
  }

  unsaved(): readonly MinuteRecord[] {
    this.#look();
    return [...this.#past, this.#current].filter((minute) => minute.revision > minute.savedRevision).map(toMinuteRecord);
  }

  markSaved(saved: readonly Pick<MinuteRecord, 'source' | 'minute' | 'revision'>[]): void {
    for (const { source, minute, revision } of saved) {
      const found = [...this.#past, this.#current].find((each) => each.source === source && each.minute === minute);
      if (found && revision > found.savedRevision) found.savedRevision = revision;
    }
  }

  minutes(): readonly MinuteRecord[] {
    this.#look();
    return [...this.#past, this.#current].map(toMinuteRecord);
  }

  #observeOperation(name: string, startedAt: number, failed: boolean): void {
    this.#observe('operation', '', name, this.#clock.monotonic() - startedAt, failed);
  }

  #observe(kind: 'database' | 'cache' | 'model_call' | 'operation', group: string, name: string, durationMs: number, failed: boolean) {
    const series = this.#now().window!.series[kind].at(group, name);
    series.sketch.add(durationMs);
    if (failed) series.failures++;
    if (durationMs >= this.#slowMs[kind]) {
      series.slow++;
      this.#announceSlow(kind, group === '' ? name : `${group} ${name}`, durationMs, failed, undefined);
    }
    return series;
  }

  #announceSlow(
    kind: JudgedKind,
    name: string,
    durationMs: number,
    failed: boolean,
    of: { requestId: string; organizationId: string | undefined; userId?: string | undefined; traceId?: string | undefined } | undefined,
  ): void {
    if (!operationSlow.hasSubscribers) return;
    operationSlow.publish({
      kind,
      name,
      durationMs,
      thresholdMs: this.#slowMs[kind],
      failed,
      requestId: of?.requestId,
      traceId: of?.traceId,
      organizationId: of?.organizationId,
      userId: of?.userId,
    });
  }

  /** The current minute, told that it sees one thing more. */
  #now(): Minute {
    const now = this.#clock.now();
    const { minute } = this.#current;
    if (now < minute || now >= minute + minuteMs) this.#turn(now);
    this.#current.revision++;
    return this.#current;
  }

  /** Before anybody is shown what there is. */
  #look(): void {
    handOnAnnouncements();
    this.#turn(this.#clock.now());
  }

  #turn(now: number): void {
    const ended = this.#current;
    if (now >= ended.minute && now < ended.minute + minuteMs) return;
    // A clock that is set back a little is waited for. One that is set back further would come to minutes that were written already: from
    // then on this process is another one, whose minutes are added to those.
    if (now < ended.minute) {
      if (now >= ended.minute - minuteMs) return;
      this.#source = this.#createId();
    }
    // Nothing to keep of a minute in which nothing happened.
    if (ended.revision > 0) {
      ended.record = ended.window!.toRecord();
      ended.window = undefined;
      this.#past.push(ended);
    }
    this.#current = this.#begin(now);
    while (this.#past.length >= this.#historyMinutes) {
      const forgotten = this.#past.shift()!;
      if (forgotten.revision > forgotten.savedRevision) this.#lost++;
    }
  }

  #begin(now: number): Minute {
    return {
      source: this.#source,
      minute: Math.floor(now / minuteMs) * minuteMs,
      window: new MetricsWindow(this.#maxSeries),
      record: undefined,
      usage: this.#newUsage(),
      revision: 0,
      savedRevision: 0,
    };
  }

  #newUsage(): Usage {
    return {
      users: new UsageTable(this.#maxUsers),
      organizations: new UsageTable(this.#maxUsers),
      keys: new UsageTable(this.#maxUsers),
    };
  }

  #lastMinutes(minutes: number): readonly Minute[] {
    this.#look();
    const from = this.#current.minute - (minutes - 1) * minuteMs;
    return [...this.#past, this.#current].filter(({ minute }) => minute >= from);
  }
}

function toMinuteRecord(minute: Minute): MinuteRecord {
  return { source: minute.source, minute: minute.minute, record: recordOf(minute), revision: minute.revision };
}

function recordOf({ record, window }: Minute): WindowRecord {
  return record ?? window!.toRecord();
}

function addRequest(table: UsageTable, id: string, durationMs: number, failed: boolean): void {
  const use = table.at(id);
  use.requests++;
  use.durationMs += durationMs;
  if (failed) use.failures++;
}

function addCall(table: UsageTable, id: string, promptTokens: number, completionTokens: number, costNanoUsd: number): void {
  const use = table.at(id);
  use.modelCalls++;
  use.promptTokens += promptTokens;
  use.completionTokens += completionTokens;
  use.costNanoUsd += costNanoUsd;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}

/** The same policies of three libraries, as each of them is meant to be used: built once, called many times. */
import { existsSync } from 'node:fs';
import {
  createPolicy,
  retryScheduled,
  withAdaptiveConcurrency,
  withBulkhead,
  withCircuitBreaker,
  withDeadline,
  withFallback,
  withHedge,
  withRetry,
  withTimeout,
} from '@holdfast/kit/resilience';

export type Call = () => Promise<unknown>;

/** One line of the table; a library that has no such policy has no call. */
export interface Case {
  readonly name: string;
  readonly holdfast: Call;
  readonly cockatiel?: Call;
  readonly opossum?: Call;
  /** Calls that are under way at the same time. Default 1. */
  readonly concurrency?: number;
  /** Before each round; returns what undoes it. */
  readonly begin?: () => () => void;
}

const work = async (): Promise<number> => 1;
const failing = async (): Promise<number> => {
  throw Object.assign(new Error('unavailable'), { status: 503 });
};
const timeoutMs = 10_000;
const deadlineMs = 30_000;
const wide = 1_000;

export async function makeCases(): Promise<readonly Case[]> {
  const cockatiel = await peer('cockatiel/dist/index.js');
  const opossum = await peer('opossum/index.js');
  const fire = (options: object): Call | undefined => {
    if (!opossum) return undefined;
    const breaker = new opossum.default(work, { timeout: false, ...options });
    return () => breaker.fire();
  };
  const their = (make: (library: any) => any): Call | undefined => {
    if (!cockatiel) return undefined;
    const policy = make(cockatiel);
    return () => policy.execute(work);
  };
  const retry = ({ retry: make, handleAll, ExponentialBackoff }: any) =>
    make(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() });
  const breaker = ({ circuitBreaker, handleAll, ConsecutiveBreaker }: any) =>
    circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(5) });
  const bulkhead = ({ bulkhead: make }: any) => make(wide, wide);
  const timeout = ({ timeout: make, TimeoutStrategy }: any) => make(timeoutMs, TimeoutStrategy.Aggressive);
  const all = (library: any) => library.wrap(retry(library), breaker(library), bulkhead(library), timeout(library));

  const four = createPolicy({ timeoutMs, bulkhead: { maxConcurrent: wide } });
  const five = createPolicy({ timeoutMs, deadlineMs, bulkhead: { maxConcurrent: wide } });
  const seven = createPolicy({ timeoutMs, deadlineMs, hedge: true, bulkhead: { maxConcurrent: wide }, adaptive: { initialLimit: 200 } });
  const { signal } = new AbortController();
  const allOfTheirs = cockatiel && all(cockatiel);

  return [
    { name: 'the function alone', holdfast: work },
    { name: 'timeout', holdfast: withTimeout(work, timeoutMs), ...given({ cockatiel: their(timeout), opossum: undefined }) },
    { name: 'retry', holdfast: withRetry(work), ...given({ cockatiel: their(retry) }) },
    { name: 'breaker', holdfast: withCircuitBreaker(work), ...given({ cockatiel: their(breaker), opossum: fire({}) }) },
    { name: 'bulkhead', holdfast: withBulkhead(work, { maxConcurrent: wide }), ...given({ cockatiel: their(bulkhead) }) },
    {
      name: 'fallback',
      holdfast: withFallback(work, [work]),
      ...given({ cockatiel: their(({ fallback, handleAll }) => fallback(handleAll, 0)) }),
    },
    { name: 'deadline', holdfast: withDeadline(work, deadlineMs) },
    { name: 'hedge', holdfast: withHedge(work) },
    { name: 'adaptive concurrency', holdfast: withAdaptiveConcurrency(work, { initialLimit: 200 }) },
    {
      name: 'breaker, bulkhead, timeout',
      holdfast: withPolicyOf(createPolicy({ retry: false, timeoutMs, bulkhead: { maxConcurrent: wide } })),
      ...given({
        cockatiel: their((library) => library.wrap(breaker(library), bulkhead(library), timeout(library))),
        opossum: fire({ timeout: timeoutMs, capacity: wide }),
      }),
    },
    { name: 'retry, breaker, bulkhead, timeout', holdfast: withPolicyOf(four), ...given({ cockatiel: their(all) }) },
    { name: 'the same and a deadline', holdfast: withPolicyOf(five) },
    {
      name: 'the same with the caller’s signal',
      holdfast: () => five.execute(work, { signal }),
      ...given({ cockatiel: allOfTheirs && (() => allOfTheirs.execute(work, signal)) }),
    },
    {
      name: 'the same, 100 calls at a time',
      concurrency: 100,
      holdfast: withPolicyOf(five),
      ...given({ cockatiel: their(all), opossum: undefined }),
    },
    { name: 'all seven', holdfast: withPolicyOf(seven) },
    { name: 'retry that is used once, nobody listens', holdfast: retriedOnce() },
    { name: 'retry that is used once, somebody listens', holdfast: retriedOnce(), begin: () => retryScheduled.subscribe(ignore) },
    {
      name: 'refusal of an open breaker',
      holdfast: await refusing(),
      ...given({ cockatiel: cockatiel && refusal(breaker(cockatiel)), opossum: opossum && refusalOf(opossum) }),
    },
  ];
}

function withPolicyOf(policy: ReturnType<typeof createPolicy>): Call {
  return () => policy.execute(work);
}

/** The error is always the same: what a new one costs would hide the rest. */
function retriedOnce(): Call {
  const unavailable = Object.assign(new Error('unavailable'), { status: 503 });
  let failed = false;
  return withRetry(
    async (): Promise<number> => {
      failed = !failed;
      if (failed) throw unavailable;
      return 1;
    },
    { backoff: 'immediate', budgetPercent: Number.POSITIVE_INFINITY },
  );
}

async function refusing(): Promise<Call> {
  const guarded = withCircuitBreaker(failing);
  await guarded.breaker.open();
  return () => guarded().catch(ignore);
}

function refusal(breaker: any): Call {
  breaker.isolate();
  return () => breaker.execute(work).catch(ignore);
}

function refusalOf(library: any): Call {
  const breaker = new library.default(failing, { timeout: false });
  breaker.open();
  return () => breaker.fire().catch(ignore);
}

function ignore(): void {}

/** Only what is there: a missing peer is a missing column. */
function given(calls: { readonly cockatiel?: Call | undefined; readonly opossum?: Call | undefined }): Pick<Case, 'cockatiel' | 'opossum'> {
  return Object.fromEntries(Object.entries(calls).filter(([, call]) => call !== undefined));
}

async function peer(file: string): Promise<any> {
  const url = new URL(`../peers/node_modules/${file}`, import.meta.url);
  return existsSync(url) ? import(url.href) : undefined;
}

import { storedMetricsReport, type StoredMetricsReport } from '@holdfast/contracts';
import type { HttpRequestFinished } from '@holdfast/kit/events';
import { createPerformanceTracker, type PerformanceTracker } from '@holdfast/kit/telemetry';
import { createFakeClock, createSeededRandom, type FakeClock } from '@holdfast/kit/testing';
import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createMinuteSum } from '../../src/composition/index.ts';
import {
  createMinuteStore,
  createStoredMetrics,
  minutesSavedAgain,
  minutesUnsaved,
  startMinuteWriter,
  type MinuteWriter,
} from '../../src/features/performance/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
let database: Database;

beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const createId = createUuidV7(systemClock, systemRandom);
const request: HttpRequestFinished = {
  requestId: 'r1',
  method: 'POST',
  route: '/v1/chat/completions',
  path: '/v1/chat/completions',
  status: 200,
  latencyMs: 4,
  requestBytes: 100,
  responseBytes: 900,
  client: 'ip_0123456789abcdef',
  organizationId: 'o1',
  keyId: 'k1',
  userId: undefined,
  errorCode: undefined,
  errorCategory: undefined,
  notes: undefined,
};

/** Never by the clock: the test says when. */
const byHand = 2 ** 31 - 1;

interface Instance {
  readonly tracker: PerformanceTracker;
  readonly writer: MinuteWriter;
  report(windowMinutes: number): Promise<StoredMetricsReport>;
}

/** One run of a server, as far as its metrics go. */
function startInstance(clock: FakeClock, on: Database = database, options: { retentionMinutes?: number; everyMs?: number } = {}): Instance {
  const tracker = createPerformanceTracker({ clock, createId });
  const store = createMinuteStore(on, 'host:1');
  const writer = startMinuteWriter({ store, minutes: tracker, clock, retentionMinutes: 1_440, everyMs: byHand, ...options });
  onTestFinished(() => writer.stop());
  const report = createStoredMetrics({ store, minutes: tracker, createSum: createMinuteSum, clock });
  return { tracker, writer, report: async (windowMinutes) => storedMetricsReport.parse(await report(windowMinutes)) };
}

async function freshDatabase(): Promise<TestDatabase> {
  const fresh = await postgres.createDatabase();
  database = await fresh.open();
  return fresh;
}

/** What was told to any instance: the truth that reports are judged by. */
function createTruth(seed: number) {
  const random = createSeededRandom(seed);
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  return {
    latencies,
    statuses,
    tell(tracker: PerformanceTracker): void {
      const latencyMs = Math.exp(random.next() * 9);
      const status = random.next() < 0.1 ? 503 : 200;
      latencies.push(latencyMs);
      const name = `${String(status).charAt(0)}xx`;
      statuses[name] = (statuses[name] ?? 0) + 1;
      tracker.recordRequest({ ...request, latencyMs, status, errorCategory: status === 503 ? 'rate_limit' : undefined });
    },
    quantile(q: number): number {
      const sorted = latencies.toSorted((a, b) => a - b);
      return sorted[Math.floor(q * (sorted.length - 1))]!;
    },
  };
}

function expectTruth(report: StoredMetricsReport, truth: ReturnType<typeof createTruth>): void {
  expect(report.requests.count).toBe(truth.latencies.length);
  expect(report.requests.statuses).toStrictEqual(truth.statuses);
  expect(report.requests.failed).toBe(truth.statuses['5xx']);
  expect(report.errors).toStrictEqual([{ category: 'rate_limit', count: truth.statuses['5xx'] }]);
  expect(report.trend.reduce((sum, { requests }) => sum + requests, 0)).toBe(truth.latencies.length);
  for (const [q, said] of [
    [0.5, report.requests.p50_ms],
    [0.95, report.requests.p95_ms],
    [0.99, report.requests.p99_ms],
  ] as const) {
    const exact = truth.quantile(q);
    expect(Math.abs(said - exact)).toBeLessThanOrEqual(exact * report.relative_error + 0.001);
  }
}

test('the sum over two instances, one of them restarted in the middle of a minute, is what happened', async () => {
  await freshDatabase();
  const clock = createFakeClock();
  const truth = createTruth(3);
  const first = startInstance(clock, database, { everyMs: 15_000 });
  let second = startInstance(clock);
  for (let at = 0; at < 600; at++) {
    truth.tell(at % 3 === 0 ? first.tracker : second.tracker);
    clock.advance(1_000);
    if (at === 310) {
      await second.writer.stop();
      second = startInstance(clock);
    }
  }
  await Promise.all([first.writer.flush(), second.writer.flush()]);

  for (const instance of [first, second]) {
    const report = await instance.report(60);
    expect(report).toMatchObject({ instances: 3, complete: true, step_minutes: 1 });
    expectTruth(report, truth);
  }
  // Another run that has seen nothing itself, later.
  clock.advance(30 * 60_000);
  const third = startInstance(clock);
  expectTruth(await third.report(60), truth);
  expect((await third.report(10)).requests.count).toBe(0);
});

test('a database that is away for some minutes loses nothing, and what an instance has seen is told meanwhile', async () => {
  const fresh = await freshDatabase();
  const proxy = await startDatabaseProxy(fresh.target);
  onTestFinished(() => proxy.stop());
  const through = await fresh.open({ target: proxy.target });
  const clock = createFakeClock();
  const truth = createTruth(5);
  const said: string[] = [];
  onTestFinished(minutesUnsaved.subscribe(() => void said.push('unsaved')));
  onTestFinished(minutesSavedAgain.subscribe(({ lostMinutes }) => void said.push(`saved again, ${lostMinutes} lost`)));
  const instance = startInstance(clock, through);
  const pass = (minutes: number): void => {
    for (let at = 0; at < minutes * 60; at++) {
      truth.tell(instance.tracker);
      clock.advance(1_000);
    }
  };
  pass(2);
  await instance.writer.flush();
  proxy.cut();
  pass(8);
  await instance.writer.flush();
  await instance.writer.flush();

  const meanwhile = await instance.report(60);
  expect(meanwhile.complete).toBe(false);
  expectTruth(meanwhile, truth);
  proxy.restore();
  pass(1);
  await instance.writer.flush();
  await instance.writer.flush();

  expect(said).toStrictEqual(['unsaved', 'saved again, 0 lost']);
  expectTruth(await startInstance(clock).report(60), truth);
});

test('minutes are removed when they are older than they are kept, and a minute is written again and not twice', async () => {
  const fresh = await freshDatabase();
  const clock = createFakeClock();
  const instance = startInstance(clock, database, { retentionMinutes: 5 });
  const truth = createTruth(9);
  for (let minute = 0; minute < 8; minute++) {
    truth.tell(instance.tracker);
    await instance.writer.flush();
    truth.tell(instance.tracker);
    await instance.writer.flush();
    clock.advance(60_000);
  }
  await instance.writer.flush();

  const rows = await fresh.asSuperuser<{ count: number; oldest: Date }>(
    'select count(*)::int as count, min(minute) as oldest from holdfast.metric_minutes',
  );
  expect(rows[0]!.count).toBe(5);
  expect(rows[0]!.oldest.getTime()).toBe(clock.now() - 5 * 60_000);
});

test('a row of a later version is left out and does not spoil the rest, and long windows have few points', async () => {
  const fresh = await freshDatabase();
  const clock = createFakeClock();
  const instance = startInstance(clock);
  const truth = createTruth(11);
  for (let at = 0; at < 150; at++) {
    truth.tell(instance.tracker);
    await instance.writer.flush();
    clock.advance(600_000);
  }
  await fresh.asSuperuser(`insert into holdfast.metric_minutes values ($1, $2, 'host:2', '{"v":2,"requests":"said otherwise"}')`, [
    new Date(clock.now() - 600_000),
    createId(),
  ]);

  const report = await instance.report(1_440);
  expect(report.instances).toBe(1);
  expect(report.requests.count).toBe(143);
  expect(report.step_minutes).toBe(12);
  expect(report.trend.length).toBeLessThanOrEqual(120);
});

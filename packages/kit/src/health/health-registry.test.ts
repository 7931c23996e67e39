import { beforeEach, expect, test } from 'vitest';
import { createFakeClock, createSeededRandom, type FakeClock } from '../testing/index.ts';
import { dependencyHealthChanged, type DependencyHealthChanged } from './events.ts';
import { createHealthRegistry, type HealthRegistry } from './health-registry.ts';
import { toHealthReport } from './health-report.ts';

const settled = () => clock.advanceAsync(0);

let clock: FakeClock;
let registry: HealthRegistry;
const readiness = () => toHealthReport(registry.readiness());
const report = () => toHealthReport(registry.snapshot());
beforeEach(() => {
  clock = createFakeClock();
  registry = createHealthRegistry({ clock, jitter: 0 });
});

test('is not ready before a critical dependency has answered, and is from then on', async () => {
  registry.register('database', { critical: true, check: async () => {} });
  expect(readiness()).toMatchObject({
    status: 'unhealthy',
    dependencies: [{ name: 'database', message: 'not checked yet', response_time_ms: null }],
  });
  await settled();
  expect(readiness()).toMatchObject({
    status: 'healthy',
    dependencies: [{ status: 'healthy', message: 'answers', response_time_ms: 0 }],
  });
});

test('a dependency that hangs is reported after the time limit, is told to stop, and its late answer is ignored', async () => {
  let finish = () => {};
  let signal: AbortSignal | undefined;
  let calls = 0;
  registry.register('database', {
    critical: true,
    check: (given) => {
      calls++;
      signal ??= given;
      return new Promise((resolve) => (finish = resolve));
    },
  });
  await clock.advanceAsync(999);
  expect(signal?.aborted).toBe(false);
  await clock.advanceAsync(1);
  expect(signal?.aborted).toBe(true);
  expect(readiness()).toMatchObject({
    status: 'unhealthy',
    dependencies: [{ message: 'does not answer in time', response_time_ms: 1000 }],
  });
  finish();
  await settled();
  expect(readiness().status).toBe('unhealthy');
  expect(calls).toBe(1);
});

test('recovers by itself within a second of the dependency’s return', async () => {
  let up = false;
  registry.register('database', {
    critical: true,
    check: () => (up ? Promise.resolve() : Promise.reject(new Error('connect ECONNREFUSED 10.1.2.3'))),
  });
  await settled();
  expect(readiness().status).toBe('unhealthy');
  up = true;
  await clock.advanceAsync(1_000);
  expect(readiness().status).toBe('healthy');
});

test('a failure in real use flips readiness at once, long before the next check is due', async () => {
  let up = true;
  registry.register('database', { critical: true, check: () => (up ? Promise.resolve() : Promise.reject(new Error('down'))) });
  await clock.advanceAsync(10);
  expect(readiness().status).toBe('healthy');
  up = false;
  registry.markFailed('database');
  expect(readiness()).toMatchObject({ status: 'unhealthy', dependencies: [{ message: 'failed in use' }] });
  await settled();
  expect(readiness()).toMatchObject({ status: 'unhealthy', dependencies: [{ message: 'fails' }] });
});

test('one failed use of a dependency that works is set right by the check that follows', async () => {
  registry.register('database', { critical: true, check: async () => {} });
  await settled();
  registry.markFailed('database');
  await settled();
  expect(readiness().status).toBe('healthy');
});

test('many failures in use start one check, not many', async () => {
  let calls = 0;
  registry.register('database', { critical: true, check: () => (calls++, new Promise(() => {})) });
  await settled();
  for (let use = 0; use < 1_000; use++) registry.markFailed('database');
  await settled();
  expect(calls).toBe(1);
});

test('what is not critical degrades the report and leaves readiness alone', async () => {
  registry.register('cache', { critical: false, check: () => Promise.reject(new Error('down')) });
  await settled();
  expect(report().status).toBe('degraded');
  expect(readiness()).toMatchObject({ status: 'healthy', dependencies: [] });
});

test('a check that throws instead of rejecting is a failed one', async () => {
  registry.register('database', {
    critical: true,
    check: () => {
      throw new Error('thrown');
    },
  });
  await settled();
  expect(readiness()).toMatchObject({ status: 'unhealthy', dependencies: [{ message: 'fails' }] });
});

test('says nothing of the exception: readiness is public', async () => {
  registry.register('database', { critical: true, check: () => Promise.reject(new Error('password of holdfast@10.1.2.3 refused')) });
  await settled();
  expect(JSON.stringify(report())).not.toContain('10.1.2.3');
});

test('a closed registry checks no more', async () => {
  let calls = 0;
  registry.register('database', { critical: true, check: async () => void calls++ });
  await settled();
  registry.close();
  registry.markFailed('database');
  await clock.advanceAsync(600_000);
  expect(calls).toBe(1);
});

test('what is watched is asked at each report, degrades it, and never makes the server unready', async () => {
  let degraded = false;
  registry.register('database', { critical: true, check: async () => {} });
  registry.watch('load', () => ({ status: degraded ? 'degraded' : 'healthy', message: 'as it is' }));
  await settled();
  expect(readiness().status).toBe('healthy');
  degraded = true;
  for (const shown of [readiness(), report()]) {
    expect(shown.status).toBe('degraded');
    expect(shown.dependencies[1]).toEqual({ name: 'load', status: 'degraded', message: 'as it is', response_time_ms: null });
  }
  expect(() => registry.watch('load', () => ({ status: 'healthy', message: '' }))).toThrow(/registered already/);
});

test('tells how a dependency fares as a breaker would', async () => {
  let up = false;
  const observed = () => registry.observe()[0]!;
  registry.register('database', { critical: true, check: () => (up ? Promise.resolve() : Promise.reject(new Error('down'))) });
  expect(observed()).toMatchObject({ failing: true, checking: true, changedAt: undefined, failures: 0 });
  await settled();
  const lostAt = clock.now();
  expect(observed()).toMatchObject({ failing: true, checking: false, changedAt: lostAt, nextCheckInMs: 1_000, failures: 1 });
  await clock.advanceAsync(2_400);
  expect(observed()).toMatchObject({ changedAt: lostAt, nextCheckInMs: 600, failures: 3, totals: { succeeded: 0, failed: 3, lost: 1 } });
  up = true;
  await clock.advanceAsync(600);
  expect(observed()).toMatchObject({ failing: false, changedAt: clock.now(), failures: 0, totals: { succeeded: 1, failed: 3, lost: 1 } });
  registry.markFailed('database');
  expect(observed()).toMatchObject({ failing: true, checking: true, lastFailure: { at: clock.now(), code: 'failed_in_use' }, failures: 1 });
  await settled();
  expect(observed()).toMatchObject({ failing: false, totals: { succeeded: 2, failed: 4, lost: 2 } });
});

test('a dependency that has always worked has never changed', async () => {
  registry.register('database', { critical: true, check: async () => {} });
  await clock.advanceAsync(180_000);
  expect(registry.observe()).toMatchObject([
    { failing: false, changedAt: undefined, lastFailure: undefined, totals: { failed: 0, lost: 0 } },
  ]);
});

test('a check may say more than that it succeeded: to operators in full, to everybody in fixed words', async () => {
  registry.register('replica', {
    critical: true,
    check: async () => ({
      status: 'degraded',
      message: 'is behind',
      detail: 'db-7.internal is 40 s behind',
      measurement: { name: 'lag', value: 40, unit: 's' },
    }),
  });
  await settled();
  expect(registry.readiness()).toMatchObject({ status: 'degraded', components: [{ message: 'is behind', measurement: { value: 40 } }] });
  expect(registry.snapshot().components[0]).toMatchObject({ status: 'degraded', message: 'db-7.internal is 40 s behind' });
});

test('a check that says unhealthy is a failed one: asked again soon, and degrading where it is not critical', async () => {
  registry.register('disk', { critical: false, check: async () => ({ status: 'unhealthy', message: 'is full' }) });
  registry.register('database', { critical: true, check: async () => ({ status: 'unhealthy', message: 'reads only' }) });
  await settled();
  expect(report().dependencies).toMatchObject([
    { name: 'disk', status: 'degraded', message: 'is full' },
    { name: 'database', status: 'unhealthy', message: 'reads only' },
  ]);
  expect(registry.observe().map(({ nextCheckInMs }) => nextCheckInMs)).toEqual([1_000, 1_000]);
});

test('what is watched together shows itself to operators, degrades their report, and no probe', async () => {
  registry.watchAll(() => [{ name: 'provider openai', status: 'unhealthy', message: 'fails', responseTimeMs: 12 }]);
  expect(registry.snapshot()).toMatchObject({
    status: 'degraded',
    components: [{ name: 'provider openai', status: 'degraded', responseTimeMs: 12 }],
  });
  expect(registry.readiness()).toMatchObject({ status: 'healthy', components: [] });
});

test('is not ready while anything holds it back, whatever its dependencies say', async () => {
  registry.register('database', { critical: true, check: async () => {} });
  const started = registry.hold('starting');
  const migrated = registry.hold('migrating');
  await settled();
  expect(readiness()).toMatchObject({
    status: 'unhealthy',
    dependencies: [{ name: 'process', message: 'starting' }, { message: 'migrating' }, { name: 'database' }],
  });
  started();
  started();
  expect(readiness().status).toBe('unhealthy');
  migrated();
  expect(readiness().status).toBe('healthy');
});

test('listeners hear of what flips, and of nothing else', async () => {
  let up = true;
  let changes = 0;
  registry.onChange(() => (changes += 1));
  registry.register('database', { critical: true, check: () => (up ? Promise.resolve() : Promise.reject(new Error('down'))) });
  await settled();
  const before = changes;
  await clock.advanceAsync(600_000);
  expect(changes).toBe(before);
  up = false;
  registry.markFailed('database');
  expect(changes).toBe(before + 1);
  registry.hold('stopping')();
  expect(changes).toBe(before + 3);
});

test('a change is announced once, the first success never', async () => {
  const announced: DependencyHealthChanged[] = [];
  const stop = dependencyHealthChanged.subscribe((message) => void announced.push(message));
  let up = true;
  registry.register('database', { critical: true, check: () => (up ? Promise.resolve() : Promise.reject(new Error('down'))) });
  await settled();
  up = false;
  for (let use = 0; use < 5; use++) registry.markFailed('database');
  await clock.advanceAsync(5_000);
  up = true;
  await clock.advanceAsync(5_000);
  stop();
  expect(announced).toEqual([
    { name: 'database', critical: true, status: 'unhealthy', before: 'healthy', message: 'failed in use' },
    { name: 'database', critical: true, status: 'healthy', before: 'unhealthy', message: 'answers' },
  ]);
});

test('instances that started together do not ask together, and none asks later than it may', async () => {
  const waits = Array.from({ length: 50 }, (_, seed) => {
    const one = createHealthRegistry({ clock: createFakeClock(), random: createSeededRandom(seed) });
    return { one, wait: () => one.observe()[0]!.nextCheckInMs };
  });
  for (const { one } of waits) one.register('database', { critical: true, check: async () => {} });
  await settled();
  const drawn = waits.map(({ wait }) => wait());
  expect(new Set(drawn).size).toBeGreaterThan(40);
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(54_000);
  expect(Math.max(...drawn)).toBeLessThanOrEqual(60_000);
  for (const { one } of waits) one.close();
});

test('checks that go on although they were told to stop are not piled up, and one that ends makes room', async () => {
  const ends: (() => void)[] = [];
  registry.register('database', { critical: true, check: () => new Promise<void>((resolve) => void ends.push(resolve)) });
  await clock.advanceAsync(60_000);
  expect(ends).toHaveLength(3);
  ends[0]!();
  await clock.advanceAsync(1_000);
  expect(ends).toHaveLength(4);
  expect(readiness().status).toBe('unhealthy');
});

test.each([{ intervalMs: 0 }, { retryMs: -1 }, { timeoutMs: Number.NaN }, { jitter: 2 }])('refuses %j', (options) => {
  expect(() => createHealthRegistry({ clock, ...options })).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
  if (!('jitter' in options))
    expect(() => registry.register('x', { critical: true, check: async () => {}, ...options })).toThrow(
      expect.objectContaining({ code: 'configuration_invalid' }),
    );
});

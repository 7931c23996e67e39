import { beforeEach, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '@holdfast/kit/testing';
import { createHealthRegistry, type HealthRegistry } from './registry.ts';

const settled = () => clock.advanceAsync(0);

let clock: FakeClock;
let registry: HealthRegistry;
beforeEach(() => {
  clock = createFakeClock();
  registry = createHealthRegistry({ clock });
});

test('is not ready before a critical dependency has answered, and is from then on', async () => {
  registry.register('database', { critical: true, check: async () => {} });
  expect(registry.readiness()).toMatchObject({
    status: 'unhealthy',
    dependencies: [{ name: 'database', message: 'not checked yet', response_time_ms: null }],
  });
  await settled();
  expect(registry.readiness()).toMatchObject({
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
  expect(registry.readiness()).toMatchObject({
    status: 'unhealthy',
    dependencies: [{ message: 'does not answer in time', response_time_ms: 1000 }],
  });
  finish();
  await settled();
  expect(registry.readiness().status).toBe('unhealthy');
  expect(calls).toBe(1);
});

test('recovers by itself within a second of the dependency’s return', async () => {
  let up = false;
  registry.register('database', {
    critical: true,
    check: () => (up ? Promise.resolve() : Promise.reject(new Error('connect ECONNREFUSED 10.1.2.3'))),
  });
  await settled();
  expect(registry.readiness().status).toBe('unhealthy');
  up = true;
  await clock.advanceAsync(1_000);
  expect(registry.readiness().status).toBe('healthy');
});

test('a failure in real use flips readiness at once, long before the next check is due', async () => {
  let up = true;
  registry.register('database', { critical: true, check: () => (up ? Promise.resolve() : Promise.reject(new Error('down'))) });
  await clock.advanceAsync(10);
  expect(registry.readiness().status).toBe('healthy');
  up = false;
  registry.markFailed('database');
  expect(registry.readiness()).toMatchObject({ status: 'unhealthy', dependencies: [{ message: 'failed in use' }] });
  await settled();
  expect(registry.readiness()).toMatchObject({ status: 'unhealthy', dependencies: [{ message: 'fails' }] });
});

test('one failed use of a dependency that works is set right by the check that follows', async () => {
  registry.register('database', { critical: true, check: async () => {} });
  await settled();
  registry.markFailed('database');
  await settled();
  expect(registry.readiness().status).toBe('healthy');
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
  expect(registry.report().status).toBe('degraded');
  expect(registry.readiness()).toMatchObject({ status: 'healthy', dependencies: [] });
});

test('a check that throws instead of rejecting is a failed one', async () => {
  registry.register('database', {
    critical: true,
    check: () => {
      throw new Error('thrown');
    },
  });
  await settled();
  expect(registry.readiness()).toMatchObject({ status: 'unhealthy', dependencies: [{ message: 'fails' }] });
});

test('says nothing of the exception: readiness is public', async () => {
  registry.register('database', { critical: true, check: () => Promise.reject(new Error('password of holdfast@10.1.2.3 refused')) });
  await settled();
  expect(JSON.stringify(registry.report())).not.toContain('10.1.2.3');
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
  expect(registry.readiness().status).toBe('healthy');
  degraded = true;
  for (const report of [registry.readiness(), registry.report()]) {
    expect(report.status).toBe('degraded');
    expect(report.dependencies[1]).toEqual({ name: 'load', status: 'degraded', message: 'as it is', response_time_ms: null });
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

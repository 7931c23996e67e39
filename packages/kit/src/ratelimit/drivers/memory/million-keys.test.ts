import { expect, test } from 'vitest';
import { createFakeClock } from '../../../testing/index.ts';
import { createRateLimiter, gcra, slidingWindow } from '../../index.ts';
import { createMemoryDriver } from './index.ts';

// Apart from the driver's other tests: mutation tests, under which every line costs ten times as much, leave these out.

function setUp(options: { maxBucketsPerPolicy?: number } = {}) {
  const clock = createFakeClock();
  const driver = createMemoryDriver({ clock, ...options });
  return { clock, driver, limiter: createRateLimiter({ driver }) };
}

test('a million keys leave no more buckets than are in use', () => {
  const { clock, driver, limiter } = setUp();
  const perAddress = gcra({ name: 'ip', limit: 100, periodMs: 60_000, burst: 10 });
  let most = 0;
  for (let at = 0; at < 1_000_000; at++) {
    // 10,000 a second: each is idle again after 600 ms, so that 6,000 are in use.
    if (at % 10 === 0) clock.advance(1);
    limiter.take([{ policy: perAddress, key: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}` }]);
    if (at % 1_000 === 0) most = Math.max(most, driver.bucketCount());
  }
  expect(most).toBeLessThan(3 * 6_000);
  expect(driver.evictions).toBe(0);
  limiter.close();
});

test('a million keys that are all in use are held to the bound, and push out none of another policy', () => {
  const { driver, limiter } = setUp({ maxBucketsPerPolicy: 5_000 });
  const perAddress = slidingWindow({ name: 'ip', limit: 100, windowMs: 60_000 });
  const organization = slidingWindow({ name: 'organization', limit: 10, windowMs: 60_000 });
  limiter.take([{ policy: organization, key: 'o', cost: 10 }]);
  for (let at = 0; at < 1_000_000; at++) limiter.take([{ policy: perAddress, key: `address ${at}` }]);
  expect(driver.bucketCount(perAddress)).toBe(5_000);
  expect(driver.evictions).toBe(995_000);
  expect(limiter.take([{ policy: organization, key: 'o' }]).allowed).toBe(false);
  limiter.close();
});

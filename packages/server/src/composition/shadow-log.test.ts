import { createMemoryDriver, createRateLimiter, slidingWindow } from '@holdfast/kit/ratelimit';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { createShadowLog } from './shadow-log.ts';

test('what a limit in shadow would refuse is told at once, then every ten seconds with how often', () => {
  const clock = createFakeClock();
  const limiter = createRateLimiter({ driver: createMemoryDriver({ clock }) });
  const lines: unknown[] = [];
  const listen = createShadowLog(clock, (line) => lines.push(line));
  const shadow = slidingWindow({ name: 'ip', limit: 2, windowMs: 3_600_000, shadow: true });
  const enforced = slidingWindow({ name: 'key', limit: 2, windowMs: 3_600_000 });
  const take = (policy: typeof shadow, key: string) => listen({ decision: limiter.take([{ policy, key }]) });

  for (let call = 0; call < 5; call++) take(enforced, 'a');
  for (let call = 0; call < 5; call++) take(shadow, 'a');
  expect(lines).toEqual([{ level: 'ip', key: 'a', count: 1 }]);
  clock.advance(9_999);
  take(shadow, 'a');
  expect(lines).toHaveLength(1);
  clock.advance(1);
  for (let call = 0; call < 3; call++) take(shadow, 'b');
  // Two of the first five, the one before its time, and the third of b.
  expect(lines.slice(1)).toEqual([{ level: 'ip', key: 'b', count: 4 }]);
  limiter.close();
});

import { createFakeClock } from '../../../testing/index.ts';
import { test } from 'vitest';
import { rateLimitDriverContract } from '../../contract/index.ts';
import { createMemoryDriver } from './index.ts';

const cases = rateLimitDriverContract(() => {
  const clock = createFakeClock();
  const driver = createMemoryDriver({ clock });
  return { driver, advance: (elapsedMs) => clock.advance(elapsedMs), close: () => driver.close() };
});

for (const { name, run } of cases) test(name, run);

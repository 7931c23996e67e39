import type { Awaitable } from '../driver.ts';
import { casesOfLimits } from './cases-of-limits.ts';
import { casesOfTaking, runOn } from './cases-of-taking.ts';
import type { RateLimitContractCase, RateLimitHarness } from './harness.ts';

export type { RateLimitContractCase, RateLimitHarness } from './harness.ts';
export { GcraModel, SlidingLog } from './models.ts';

/**
 * What every driver has to guarantee, for the test runner of your choice:
 * `for (const { name, run } of rateLimitDriverContract(makeHarness)) test(name, run)`. Each case makes a harness of its own.
 */
export function rateLimitDriverContract(makeHarness: () => Awaitable<RateLimitHarness>): readonly RateLimitContractCase[] {
  return Object.entries({ ...casesOfTaking, ...casesOfLimits }).map(([name, run]) => ({
    name,
    async run() {
      const harness = await makeHarness();
      try {
        await runOn(run)(harness);
      } finally {
        await harness.close();
      }
    },
  }));
}

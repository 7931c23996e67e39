import { cases } from './cases.ts';
import type { BreakerStoreContractCase, BreakerStoreHarness } from './harness.ts';

export type { BreakerStoreContractCase, BreakerStoreHarness } from './harness.ts';

/**
 * What every store of breaker states has to guarantee, for the test runner of your choice:
 * `for (const { name, run } of breakerStoreContract(makeHarness)) test(name, run)`. Each case makes a harness of its own.
 */
export function breakerStoreContract(
  makeHarness: () => BreakerStoreHarness | Promise<BreakerStoreHarness>,
): readonly BreakerStoreContractCase[] {
  return Object.entries(cases).map(([name, run]) => ({
    name,
    async run() {
      const harness = await makeHarness();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    },
  }));
}

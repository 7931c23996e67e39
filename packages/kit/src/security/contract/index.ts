import { cases } from './cases.ts';
import type { BanStoreContractCase, BanStoreHarness } from './harness.ts';

export type { BanStoreContractCase, BanStoreHarness } from './harness.ts';

/**
 * What every store of bans has to guarantee, for the test runner of your choice:
 * `for (const { name, run } of banStoreContract(makeHarness)) test(name, run)`. Each case makes a harness of its own, on an empty store.
 */
export function banStoreContract(makeHarness: () => BanStoreHarness | Promise<BanStoreHarness>): readonly BanStoreContractCase[] {
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

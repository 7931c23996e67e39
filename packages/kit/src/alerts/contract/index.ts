import { cases } from './cases.ts';
import type { AlertStoreContractCase, AlertStoreHarness } from './harness.ts';

export type { AlertStoreContractCase, AlertStoreHarness } from './harness.ts';

/**
 * What every store of alerts has to guarantee, for the test runner of your choice:
 * `for (const { name, run } of alertStoreContract(makeHarness)) test(name, run)`. Each case makes a harness of its own, on an empty store.
 */
export function alertStoreContract(makeHarness: () => AlertStoreHarness | Promise<AlertStoreHarness>): readonly AlertStoreContractCase[] {
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

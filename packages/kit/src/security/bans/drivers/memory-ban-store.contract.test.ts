import { test } from 'vitest';
import { banStoreContract } from '../../contract/index.ts';
import { createMemoryBanStore } from './index.ts';

const cases = banStoreContract(() => {
  const store = createMemoryBanStore();
  return { connect: () => store, delivered() {}, close() {} };
});

for (const { name, run } of cases) test(name, run);

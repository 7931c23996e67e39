import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  // The source of the workspace's packages, not what was built of it.
  resolve: { conditions: ['dev-source'] },
  ssr: { resolve: { conditions: ['dev-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    execArgv: ['--conditions=dev-source'],
    globalSetup: ['test/support/run-folder.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is slow by nature (a database, a browser) is no news.
    slowTestThreshold: 3_000,
    pool: 'forks',
    // vitest leaves one core free, which on two cores would halve the speed.
    maxWorkers: Math.max(2, availableParallelism()),
    sequence: { sequencer: LongestFirst },
    coverage: {
      provider: 'v8',
      include: ['packages/kit/src/**/*.ts', 'packages/server/src/**/*.ts', 'packages/contracts/src/**/*.ts'],
      exclude: ['**/*.test.ts'],
      // Judged by scripts/test/coverage.ts, together with what the servers that the tests start have run.
      reporter: ['json'],
      reportsDirectory: 'coverage',
      // Also beside a failed test: whoever mends it wants to see both at once.
      reportOnFailure: true,
    },
  },
});

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/**
 * Unit tests, which share a few processes: one for each of their hundreds of files is more work than the tests. What such a file
 * changes of its process (a global, a listener, a variable), it has to undo.
 */
const unit = ['packages/*/src/**/*.test.ts'];
/** Unit tests that need a process of their own: for its memory, or for what can be set once in a process. */
const alone = ['packages/kit/src/ratelimit/drivers/memory/million-keys.test.ts', 'packages/kit/src/telemetry/**/*.test.ts'];

export default defineConfig({
  // The source of the workspace's packages, not what was built of it.
  resolve: { conditions: ['dev-source'] },
  ssr: { resolve: { conditions: ['dev-source'] } },
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: unit, exclude: alone, isolate: false } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: [...alone, 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          globalSetup: ['test/support/run-folder.ts'],
        },
      },
    ],
    execArgv: ['--conditions=dev-source'],
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

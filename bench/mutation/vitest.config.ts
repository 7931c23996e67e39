import { defineConfig } from 'vitest/config';

/** The tests of one module of the kit, as mutation tests run them: what needs Redis or a server runs in `npm test`. */
export default defineConfig({
  resolve: { conditions: ['dev-source'] },
  ssr: { resolve: { conditions: ['dev-source'] } },
  test: {
    include: [
      `packages/kit/src/${process.env['MUTATED_MODULE']}/**/*.test.ts`,
      `packages/kit/test/${process.env['MUTATED_MODULE']}/**/*.test.ts`,
    ],
    // Properties draw thousands of schedules: with them each change takes a second, and most are noticed without.
    exclude: ['**/redis*.test.ts', '**/fleet.test.ts', '**/properties.test.ts', '**/million-keys.test.ts'],
    // The tests take milliseconds, some a second on a busy machine; who waits this long waits for ever.
    testTimeout: 10_000,
    hookTimeout: 10_000,
  },
});

import { matchesGlob, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take long, longest first. One of them that began last would run alone while the other cores wait for it: a short
 * file that starts many processes is what vitest, which goes by the size of files when it has not run them yet, puts at the end.
 */
const longest = [
  'packages/server/test/e2e/lifecycle.test.ts',
  'packages/server/test/crash/crash.test.ts',
  'test/documentation.test.ts',
  'test/pages-in-a-browser.test.ts',
  'packages/server/test/embedded-postgres-life.test.ts',
  'packages/server/test/e2e/*.test.ts',
  'packages/server/test/**/*.test.ts',
  'packages/kit/src/**/million-keys.test.ts',
  '**/test/**/*.test.ts',
];

/** The order of files in a run: what takes long first, unit tests last, otherwise as vitest would have it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => this.#rank(one) - this.#rank(other));
  }

  #rank({ moduleId }: TestSpecification): number {
    const path = relative(this.ctx.config.root, moduleId).replaceAll('\\', '/');
    const rank = longest.findIndex((pattern) => matchesGlob(path, pattern));
    return rank < 0 ? longest.length : rank;
  }
}

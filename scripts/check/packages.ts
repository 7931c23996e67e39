import { join } from 'node:path';
import { publishedPackages, readManifest } from '../build/packages.ts';
import { runTool } from './run-tool.ts';
import type { Workbench } from './workbench.ts';

/** Judges what `npm pack` would publish: publint the package itself, attw the types as a user's compiler finds them. */
export function checkPackages(bench: Workbench): string[] {
  const { root } = bench;
  const built = bench.built();
  return publishedPackages.flatMap((name) => {
    const folder = join(built, 'packages', name);
    const problems = runTool(root, 'publint/src/cli.js', ['run', '--strict'], folder);
    const importable = Object.keys(readManifest(folder).exports ?? {}).some((subpath) => subpath !== './package.json');
    // ESM only, by decision: what a CommonJS `require` or a resolver of 2015 sees is not promised.
    if (importable) problems.push(...runTool(root, '@arethetypeswrong/cli/dist/index.js', ['--pack', '.', '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii', '--no-emoji'], folder));
    return problems;
  });
}

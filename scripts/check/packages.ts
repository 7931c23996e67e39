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
    if (importable) problems.push(...runTool(root, '@arethetypeswrong/cli/dist/index.js', attwArguments, folder).map(faultsOnly));
    return problems;
  });
}

// ESM only, by decision: what a CommonJS `require` or a resolver of 2015 sees is not promised.
const attwArguments = ['--pack', '.', '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii', '--no-emoji'];

/** attw reports every subpath, good or bad; here only those that a promised resolver fails on. */
function faultsOnly(report: string): string {
  const faults = report.split(/^\*{5,}$/m).filter((part) => /^(node16 \(from ESM\)|bundler): (?!OK|\(ignored)/m.test(part));
  return faults.length === 0 ? report : faults.map((part) => part.trim()).join('\n');
}

import { checkDocumentLinks } from './document-links.ts';
import { checkExports } from './exports.ts';
import { checkGeneratedFiles } from './generated-files.ts';
import { checkImportRules } from './imports.ts';
import { checkLockfile } from './lockfile.ts';
import { checkPackages } from './packages.ts';
import { checkRepositoryFiles } from './repository-files.ts';
import { runTool } from './run-tool.ts';
import type { Workbench } from './workbench.ts';

export interface Check {
  readonly name: string;
  /** What is true when it passes. */
  readonly claim: string;
  /** What is wrong, one entry per fault, each with what to do; empty when all is well. */
  readonly run: (bench: Workbench) => readonly string[] | Promise<readonly string[]>;
}

/** What `npm run check` does, in this order. */
export const checks: readonly Check[] = [
  { name: 'types', claim: 'everything type-checks', run: ({ root }) => runTool(root, 'typescript/bin/tsc', ['-p', 'tsconfig.json']) },
  { name: 'lint', claim: 'no lint finding, promises included', run: ({ root }) => runTool(root, 'oxlint/bin/oxlint', ['--deny-warnings']) },
  {
    name: 'format',
    claim: 'every file is formatted (npm run format does it)',
    run: ({ root }) => runTool(root, 'oxfmt/bin/oxfmt', ['--check']),
  },
  { name: 'imports', claim: 'the import rules of the design hold', run: checkImportRules },
  {
    name: 'unused',
    claim: 'no file, export or dependency that nobody uses',
    run: ({ root }) => runTool(root, 'knip/bin/knip.js', ['--no-progress', '--no-config-hints']),
  },
  {
    name: 'build',
    claim: 'every published package builds',
    run: (bench) => {
      bench.built();
      return [];
    },
  },
  { name: 'packages', claim: 'what is packed resolves for its users, code and types', run: checkPackages },
  { name: 'exports', claim: 'every subpath loads, has types, and is in the docs', run: checkExports },
  { name: 'generated', claim: 'generated files are up to date', run: checkGeneratedFiles },
  { name: 'lockfile', claim: 'the lockfile pins all and names no download address', run: checkLockfile },
  { name: 'files', claim: 'no large, private or machine-bound file is committed', run: checkRepositoryFiles },
  { name: 'links', claim: 'links between documents lead somewhere', run: checkDocumentLinks },
];

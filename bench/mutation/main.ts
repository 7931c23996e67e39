/**
 * Mutation tests of a module of the kit: changes its source in thousands of small ways and counts the changes that no test
 * notices. Takes minutes to an hour; not a part of CI.
 *
 *   npm run bench:mutation -- resilience [--mutate 'packages/kit/src/resilience/retry/**'] [--no-write]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '..', '..');
const modules = ['resilience', 'ratelimit'];

const module = process.argv[2] ?? '';
if (!modules.includes(module)) fail(`say which module: ${modules.join(' or ')}`);
const pattern = option('--mutate') ?? `packages/kit/src/${module}/**/*.ts`;

const stryker = path.join(here, 'node_modules', '@stryker-mutator');
const report = path.join(root, 'node_modules', '.cache', 'mutation', `${module}.json`);
const settings = {
  mutate: [pattern, '!**/*.test.ts', `!packages/kit/src/${module}/contract/**`, `!packages/kit/src/${module}/**/drivers/redis/**`],
  testRunner: 'vitest',
  plugins: [path.join(stryker, 'vitest-runner', 'dist', 'src', 'index.js')],
  vitest: { configFile: path.join('bench', 'mutation', 'vitest.config.ts'), related: false },
  coverageAnalysis: 'perTest',
  reporters: ['json', 'progress-append-only'],
  jsonReporter: { fileName: path.relative(root, report) },
  ignorePatterns: ['.git', '.holdfast', 'bench/peers', 'bench/mutation/node_modules', 'coverage', 'dist'],
  tempDirName: path.join('node_modules', '.cache', 'mutation', 'sandbox'),
  concurrency: Number(option('--concurrency') ?? 2),
  timeoutMS: 4_000,
  disableTypeChecks: false,
  // Stryker rewrites it with an interface that TypeScript 7 no longer has; nothing here reads it.
  tsconfigFile: 'none',
  allowConsoleColors: false,
};
mkdirSync(path.dirname(report), { recursive: true });
const settingsFile = path.join(path.dirname(report), `${module}.conf.json`);
writeFileSync(settingsFile, JSON.stringify(settings));
const run = spawnSync(process.execPath, [path.join(stryker, 'core', 'bin', 'stryker.js'), 'run', settingsFile], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, MUTATED_MODULE: module },
});
if (run.status !== 0) fail(`Stryker ended with ${run.status}; \`npm run bench:mutation-tools\` installs it`);

interface Mutant {
  readonly mutatorName: string;
  readonly status: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number } };
}
const { files } = JSON.parse(readFileSync(report, 'utf8')) as { files: Record<string, { mutants: readonly Mutant[] }> };
const all = Object.entries(files).flatMap(([file, { mutants }]) => mutants.map((mutant) => ({ file, ...mutant })));
const counted = (...statuses: string[]): number => all.filter(({ status }) => statuses.includes(status)).length;
const found = counted('Killed', 'Timeout');
const missed = counted('Survived', 'NoCoverage');
const lines = [
  `# Mutation tests of kit/${module}`,
  '',
  `${found} of ${found + missed} changes noticed: ${((100 * found) / (found + missed)).toFixed(1)} %.`,
  '',
  '## Survivors',
  '',
  '| where | change |',
  '| --- | --- |',
  ...all
    .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .map(
      ({ file, location, mutatorName, replacement = '', status }) =>
        `| ${path.basename(file)}:${location.start.line} | ${mutatorName}: \`${replacement
          .replaceAll(/\s+/g, ' ')
          .replaceAll('|', String.raw`\|`)
          .slice(0, 80)}\`${status === 'NoCoverage' ? ' (no test comes here)' : ''} |`,
    ),
];
process.stdout.write(`${lines.join('\n')}\n`);
if (!process.argv.includes('--no-write')) {
  writeFileSync(path.join(root, 'bench', 'results', `mutation-${module}.md`), `${lines.join('\n')}\n`);
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

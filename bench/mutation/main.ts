/**
 * Mutation tests of a module of the kit: changes its source in thousands of small ways and counts the changes that no test
 * notices. Takes minutes to an hour; not a part of CI.
 *
 *   npm run bench:mutation -- resilience                       the whole module, and writes bench/results/mutation-resilience.md
 *   npm run bench:mutation -- resilience --mutate 'packages/kit/src/resilience/retry/**'      a part; writes nothing
 *   … --changed        takes over what an earlier run saw noticed, where neither the source nor the test that noticed it has changed
 *   … --report         no run: reports the last one again, for instance with new reasons
 *   … --beside '…'     what else ran on the machine, for the report
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { readMutants, reportOf } from './report.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '..', '..');
const modules = ['resilience', 'ratelimit'];

const module = process.argv[2] ?? '';
if (!modules.includes(module)) fail(`say which module: ${modules.join(' or ')}`);
const part = option('--mutate');
const cache = path.join(root, 'node_modules', '.cache', 'mutation');
const earlier = path.join(cache, `${module}-incremental.json`);
const found = path.join(cache, part === undefined ? `${module}.json` : `${module}-part.json`);
if (!process.argv.includes('--report')) run();

const report = reportOf(module, readMutants(readFileSync(found, 'utf8')), {
  part,
  beside: option('--beside') ?? '',
});
process.stdout.write(report);
if (part === undefined && !process.argv.includes('--no-write')) {
  writeFileSync(path.join(root, 'bench', 'results', `mutation-${module}.md`), report);
}

function run(): void {
  const stryker = path.join(here, 'node_modules', '@stryker-mutator');
  const source = part === undefined ? [`packages/kit/src/${module}/**/*.ts`] : part.split(',');
  const settings = {
    mutate: [...source, '!**/*.test.ts', `!packages/kit/src/${module}/contract/**`, `!packages/kit/src/${module}/**/drivers/redis/**`],
    testRunner: 'vitest',
    plugins: [path.join(stryker, 'vitest-runner', 'dist', 'src', 'index.js')],
    vitest: { configFile: path.join('bench', 'mutation', 'vitest.config.ts'), related: false },
    coverageAnalysis: 'perTest',
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: path.relative(root, found) },
    incremental: true,
    incrementalFile: path.relative(root, earlier),
    force: !process.argv.includes('--changed'),
    ignorePatterns: ['.git', '.holdfast', 'bench/peers', 'bench/mutation/node_modules', 'coverage', 'dist'],
    tempDirName: path.join('node_modules', '.cache', 'mutation', 'sandbox'),
    concurrency: Number(option('--concurrency') ?? 2),
    // For loops that never end. What waits for ever ends sooner, by the limit of a test in vitest.config.ts, and does not cost a
    // worker. Both are far beyond what the tests take, so that a busy machine is not mistaken for a noticed change.
    timeoutMS: 20_000,
    disableTypeChecks: false,
    // Stryker rewrites it with an interface that TypeScript 7 no longer has; nothing here reads it.
    tsconfigFile: 'none',
    allowConsoleColors: false,
  };
  mkdirSync(cache, { recursive: true });
  if (process.argv.includes('--changed')) forgetSurvivors();
  const settingsFile = path.join(cache, `${module}.conf.json`);
  writeFileSync(settingsFile, JSON.stringify(settings));
  const { status } = spawnSync(process.execPath, [path.join(stryker, 'core', 'bin', 'stryker.js'), 'run', settingsFile], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, MUTATED_MODULE: module },
  });
  if (status !== 0) fail(`Stryker ended with ${status}; \`npm run bench:mutation-tools\` installs it`);
}

/** Stryker does not see that a test is new for what runs while a module is loaded, such as a table of words. */
function forgetSurvivors(): void {
  if (!existsSync(earlier)) return;
  const report = JSON.parse(readFileSync(earlier, 'utf8')) as { files: Record<string, { mutants: { status: string }[] }> };
  for (const file of Object.values(report.files)) {
    file.mutants = file.mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout');
  }
  writeFileSync(earlier, JSON.stringify(report));
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

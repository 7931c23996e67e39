import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judgeCoverage } from './test/coverage.ts';
import { missingPrograms } from './test/programs.ts';
import { closingLine, tally, type VitestReport } from './test/tally.ts';

// `npm test [-- arguments of vitest]`: every test of the workspace, then one line that says what came out.
// Exit code 0 only when that line says `0 failed`.

/** A run that hangs must end too, and say so. Far above the five minutes that a run may take on two cores. */
const limitMs = 15 * 60_000;

const requireAll = process.env['REQUIRE_ALL_PROGRAMS'] === '1';
const missing = missingPrograms();
for (const program of missing) {
  console.log(
    `${requireAll ? 'missing' : 'not here'}: ${program.name}; not run without it: ${program.usedFor} (Debian: ${program.debianPackage})`,
  );
}
if (requireAll && missing.length > 0) {
  console.log('REQUIRE_ALL_PROGRAMS=1 asks for all of them.');
  console.log(closingLine({ passed: 0, failed: 1, skipped: 0 }));
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
const reportFile = join(folder, 'report.json');
// Where the processes that tests start leave their part.
const childCoverage = join(folder, 'coverage');
mkdirSync(childCoverage);
const given = process.argv.slice(2);
const asked = given.includes('--coverage');
// Coverage is enforced where everything runs: without Redis, say, the lines of its driver are not reached.
const coverage = asked || (requireAll && given.length === 0);
const vitest = spawn(
  process.execPath,
  [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    ...(coverage && !asked ? ['--coverage'] : []),
    ...given,
  ],
  // A group of its own, so that workers that hang are ended with it.
  {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
    env: { ...process.env, ...(coverage && { HOLDFAST_TEST_COVERAGE: childCoverage }) },
  },
);

const end = (signal: NodeJS.Signals) => {
  if (vitest.pid === undefined || vitest.exitCode !== null) return;
  try {
    if (process.platform === 'win32') vitest.kill(signal);
    else process.kill(-vitest.pid, signal);
  } catch {
    // It ended meanwhile, which is what was wanted.
  }
};
const limit = setTimeout(() => {
  console.error(`The tests took more than ${limitMs / 60_000} minutes; ending them.`);
  end('SIGKILL');
}, limitMs);
let interrupted = false;
const interrupt = (signal: NodeJS.Signals) => {
  interrupted = true;
  end(signal);
  setTimeout(() => end('SIGKILL'), 5_000).unref();
};
process.on('SIGINT', () => interrupt('SIGTERM'));
process.on('SIGTERM', () => interrupt('SIGTERM'));
process.on('SIGHUP', () => interrupt('SIGTERM'));
// npm hands no signal on through the shell between: when it is gone, nobody waits for this run any more.
const startedBy = process.ppid;
setInterval(() => {
  if (process.ppid !== startedBy && !interrupted) interrupt('SIGTERM');
}, 1_000).unref();

vitest.on('error', (error) => finish(1, error.message));
vitest.on('close', (code, signal) => finish(code ?? 1, signal ?? undefined));

function finish(exitCode: number, cause?: string): void {
  clearTimeout(limit);
  let result = tally(interrupted ? undefined : readReport(), exitCode);
  if (coverage && !interrupted) {
    const judged = judgeCoverage(process.cwd(), childCoverage);
    for (const line of judged.lines) console.log(line);
    if (!judged.enough) result = { ...result, failed: result.failed + 1 };
  }
  rmSync(folder, { recursive: true, force: true });
  if (cause !== undefined) console.error(`vitest did not finish: ${cause}`);
  else if (exitCode !== 0 && result.failed === 1) console.error(`vitest ended with exit code ${exitCode}; see above.`);
  console.log(closingLine(result));
  process.exit(result.failed === 0 ? 0 : 1);
}

function readReport(): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

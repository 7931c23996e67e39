/**
 * `npm run test:faults [-- --real]`: the catalogue of faults; with `--real` by the clock on the wall, in some five minutes. Exit code 1 when
 * one of them did not end as it must.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { real: { type: 'boolean', default: false } } });
const vitest = spawn(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), 'run', 'packages/server/test/faults'], {
  stdio: 'inherit',
  env: { ...process.env, ...(values.real && { HOLDFAST_FAULTS_REAL: '1' }) },
});
vitest.on('close', (code) => process.exit(code ?? 1));

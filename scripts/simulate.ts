import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

// `npm run test:simulation [-- --schedules 100000] [--seed n] [part of a path]`: the pure parts of what must never be lost, under a seeded
// scheduler with crashes. `npm test` plays a few thousand schedules of each; a seed plays one again, with what happened.

const { values, positionals } = parseArgs({
  options: { schedules: { type: 'string', default: '100000' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const vitest = spawn(
  process.execPath,
  [join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--testTimeout=0', ...(positionals.length > 0 ? positionals : ['simulation'])],
  {
    stdio: 'inherit',
    env: { ...process.env, SIMULATION_SCHEDULES: values.schedules, ...(values.seed !== undefined && { SIMULATION_SEED: values.seed }) },
  },
);
vitest.on('close', (code) => (process.exitCode = code ?? 1));

/**
 * `npm run test:crash -- [--rounds 10] [--seed n] [--report file]`: kills the server again and again and has it judged.
 * `npm run test:stops -- …` (`--drains`): stops it in order again and again, with time for every call, of which none may be lost.
 * `--only hang` has every round end that way.
 * Exit code 1 when a call was lost, doubled or wrong, or the server did not come back.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runCrashes } from './crash-run.ts';
import type { Target } from './plan-round.ts';
import { describeFindings, describeRound, describeRoundFindings, reportPage } from './report.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string' },
    report: { type: 'string' },
    drains: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--rounds takes a number from 1, --seed a whole number\n');
  process.exit(1);
}
process.stdout.write(`seed ${seed}\n`);
const title = values.drains ? 'Stopped again and again' : 'Killed again and again';
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const result = await runCrashes({
  rounds,
  seed,
  onlyDrains: values.drains,
  ...(values.only !== undefined && { only: values.only as Target }),
  signal: stop.signal,
  onRound: (round) => process.stdout.write(`${[describeRound(round), ...describeRoundFindings(round)].join('\n     ')}\n`),
});
process.stdout.write(`\n${reportPage(result, seed, title)}\n`);
if (values.report !== undefined) writeFileSync(values.report, `${reportPage(result, seed, title)}\n`);
const findings = describeFindings(result);
if (findings.length > 0) {
  process.stdout.write(
    `${findings.join('\n')}\nlogs and data: ${result.folder}; once more: npm run ${values.drains ? 'test:stops' : 'test:crash'} -- --rounds ${rounds} --seed ${seed}\n`,
  );
  process.exitCode = 1;
}

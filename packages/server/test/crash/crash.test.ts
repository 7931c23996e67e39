import { expect, test } from 'vitest';
import { runCrashes } from './crash-run.ts';
import { describeFindings } from './report.ts';

test('no call that a client has whole is lost or doubled when the server, its database or both are killed again and again', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = await runCrashes({ rounds: 10, seed });
  expect(describeFindings(result), `npm run test:crash -- --rounds 10 --seed ${seed}; logs and data: ${result.folder}`).toEqual([]);
  const { counts } = result.total;
  // Or nothing was proven: there were answers of each kind, and calls that the kills met.
  expect(counts.whole).toBeGreaterThan(50);
  expect(counts.partial).toBeGreaterThan(5);
  expect(counts.rowsByOutcome['interrupted']).toBeGreaterThan(5);
}, 180_000);

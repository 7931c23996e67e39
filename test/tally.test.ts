import { expect, test } from 'vitest';
import { closingLine, tally, type VitestReport } from '../scripts/test/tally.ts';

const clean: VitestReport = {
  numPassedTests: 2,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }, { status: 'passed' }, { status: 'skipped' }] }],
};

test('a clean run is told with what was skipped', () => {
  expect(closingLine(tally(clean, 0))).toBe('2 passed, 0 failed, 1 skipped');
});

test('a run that left no report is a failure', () => {
  expect(closingLine(tally(undefined, 0))).toBe('0 passed, 1 failed');
});

test('a run that vitest calls failed is never clean, although every test passed', () => {
  expect(tally(clean, 1).failed).toBe(1);
});

test('a file that could not be loaded counts as a failure', () => {
  const report = { ...clean, testResults: [...clean.testResults, { status: 'failed', assertionResults: [] }] };
  expect(tally(report, 1).failed).toBe(1);
});

test('a run without a single test is a failure', () => {
  expect(tally({ ...clean, numPassedTests: 0, numPendingTests: 0, testResults: [] }, 0).failed).toBe(1);
});

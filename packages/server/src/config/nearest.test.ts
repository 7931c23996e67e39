import { expect, test } from 'vitest';
import { nearestName } from './nearest.ts';

const known = ['host', 'port', 'maxBodyBytes', 'HOLDFAST_DATA_DIR'];

test.each([
  ['prot', 'port'],
  ['pot', 'port'],
  ['hosst', 'host'],
  ['max_body_bytes', 'maxBodyBytes'],
  ['max-body-byte', 'maxBodyBytes'],
  ['HOLDFAST_DATADIR', 'HOLDFAST_DATA_DIR'],
  ['HOLDFAST_DATA_FOLDER', 'HOLDFAST_DATA_DIR'],
])('%s is near %s', (name, expected) => {
  expect(nearestName(name, known)).toBe(expected);
});

test.each(['timeout', 'x', 'frobnicate', 'p'.repeat(5000)])('nothing is near %.12s', (name) => {
  expect(nearestName(name, known)).toBeUndefined();
});

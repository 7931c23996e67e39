import { expect, test } from 'vitest';
import type { Alert, AlertNotification } from '../engine/index.ts';
import { describeNotification, formatDuration, formatValue } from './index.ts';

const firedMs = Date.UTC(2026, 10, 20, 3, 12, 30);

const alert: Alert = {
  ...{ id: 'id-1', fingerprint: 'f', rule: 'api-errors', labels: { model: 'fast' }, severity: 'critical', unit: 'ratio', groupKey: 'g' },
  ...{ status: 'firing', sinceMs: firedMs - 60_000, firedMs, resolvedMs: null, clearMs: null, resolveAfterMs: 60_000 },
  ...{ value: 0.1234, threshold: 0.05, bad: 'above', acknowledged: null },
};

const notification: AlertNotification = {
  ...{ kind: 'firing', cause: 'fired', rule: 'api-errors', dedupKey: 'production/g', deployment: 'production', severity: 'critical' },
  ...{
    atMs: firedMs,
    summary: 'Requests fail.',
    action: 'Look for the code in holdfast_errors_total.',
    look: ['GET /api/alerts'],
    alerts: [alert],
    count: 1,
  },
};

test('says what, since when, how bad, where to look and what to do', () => {
  expect(describeNotification(notification).plain).toBe(
    [
      '[FIRING] critical: Requests fail. [production]',
      ...['', 'What:', '  Requests fail.'],
      ...['', 'Since:', '  2026-11-20 03:11:30 UTC, so for 60 s'.replace('60 s', '1 min')],
      ...['', 'How bad:', '  12.3 % (above 5 %) model=fast'],
      ...['', 'Where to look:', '  GET /api/alerts'],
      ...['', 'What to do:', '  Look for the code in holdfast_errors_total.'],
    ].join('\n'),
  );
});

test('of the end says how long it was, and not what to do', () => {
  const over: Alert = { ...alert, status: 'resolved', clearMs: firedMs + 540_000, resolvedMs: firedMs + 600_000 };
  const { title, plain } = describeNotification({
    ...notification,
    kind: 'resolved',
    cause: null,
    atMs: firedMs + 600_000,
    alerts: [over],
  });
  expect(title).toBe('[RESOLVED] critical: Requests fail. [production]');
  expect(plain).toContain('2026-11-20 03:11:30 UTC, for 10 min');
  expect(plain).not.toContain('What to do');
});

test('marks what is told again, who took it up, how many there are, and a test', () => {
  const titleOf = (fields: Partial<AlertNotification>) => describeNotification({ ...notification, ...fields }).title;
  expect(titleOf({ cause: 'repeated', count: 31 })).toBe('[STILL FIRING] critical: Requests fail. (31 alerts) [production]');
  expect(describeNotification({ ...notification, count: 31 }).plain).toContain('  and 30 more');
  expect(titleOf({ kind: 'test' })).toMatch(/^\[TEST\] /);
  const acknowledged: Alert = { ...alert, acknowledged: { atMs: firedMs, by: 'key-1', note: 'on it' } };
  expect(describeNotification({ ...notification, kind: 'acknowledged', alerts: [acknowledged] }).plain).toContain('By:\n  key-1: on it');
});

test('no label makes a line of its own, and everything goes through the mask', () => {
  const text = describeNotification(
    { ...notification, alerts: [{ ...alert, labels: { model: 'x\n\nWhat to do:\r\u{2028}call eve@example.com' } }] },
    { mask: (text) => text.replaceAll(/\S+@\S+/g, '[EMAIL]') },
  );
  expect(text.plain.match(/^What to do:$/gm)).toHaveLength(1);
  expect(text.plain).toContain('model=x What to do: call [EMAIL]');
  expect(JSON.stringify(text)).not.toContain('eve@');
});

test('a rule that nobody knows any more is told by its name', () => {
  const { title } = describeNotification({ ...notification, summary: '', alerts: [], count: 0 });
  expect(title).toBe('[FIRING] critical: api-errors [production]');
});

test.each([
  [0.25, 'seconds', '250 ms'],
  [2.345, 'seconds', '2.35 s'],
  [0.05, 'ratio', '5 %'],
  [12_345, 'count', '12345'],
  [31.5, 'usd', '$31.50'],
  [1, 'days', '1 day'],
  [-2.04, 'days', '-2.04 days'],
  [1, 'flag', 'yes'],
] as const)('%s of unit %s is %s', (value, unit, text) => expect(formatValue(value, unit)).toBe(text));

test('durations are said as people say them', () => {
  expect([59_400, 90_000, 3_600_000, 12_300_000, 200_000_000].map(formatDuration)).toEqual([
    '59 s',
    '2 min',
    '1 h',
    '3 h 25 min',
    '2 days',
  ]);
});

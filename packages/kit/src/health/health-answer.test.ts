import { expect, test } from 'vitest';
import { prefersHealthJson } from './accept.ts';
import { aliveAt, answerHealth } from './health-answer.ts';
import type { HealthSnapshot } from './snapshot.ts';

const at = Date.UTC(2026, 10, 20, 9, 33, 28, 114);
const snapshot: HealthSnapshot = {
  status: 'unhealthy',
  at,
  components: [
    {
      name: 'database',
      status: 'unhealthy',
      message: 'does not answer in time',
      responseTimeMs: 1_000,
      componentType: 'datastore',
      checkedAt: at - 5,
      measurement: undefined,
    },
    {
      name: 'disk:data',
      status: 'healthy',
      message: 'has room',
      responseTimeMs: 0.2,
      componentType: 'system',
      checkedAt: at - 9,
      measurement: { name: 'utilization', value: 41, unit: 'percent' },
    },
  ],
};

test('answers in the form of Holdfast, with 503 when unhealthy', () => {
  const { statusCode, headers, body } = answerHealth(snapshot);
  expect([statusCode, headers['content-type'], headers['cache-control'], headers['vary']]).toEqual([
    503,
    'application/json; charset=utf-8',
    'no-store',
    'accept',
  ]);
  expect(JSON.parse(body)).toEqual({
    status: 'unhealthy',
    timestamp: '2026-11-20T09:33:28.114Z',
    dependencies: [
      { name: 'database', status: 'unhealthy', message: 'does not answer in time', response_time_ms: 1_000 },
      { name: 'disk:data', status: 'healthy', message: 'has room', response_time_ms: 0.2 },
    ],
  });
});

test('answers as the draft says to those who ask for it', () => {
  const { statusCode, headers, body } = answerHealth(snapshot, { accept: 'application/health+json', names: { releaseId: '1.4.2' } });
  expect([statusCode, headers['content-type']]).toEqual([503, 'application/health+json']);
  expect(JSON.parse(body)).toEqual({
    status: 'fail',
    releaseId: '1.4.2',
    output: 'database: does not answer in time',
    checks: {
      'database:responseTime': [
        {
          componentType: 'datastore',
          status: 'fail',
          observedValue: 1_000,
          observedUnit: 'ms',
          time: '2026-11-20T09:33:28.109Z',
          output: 'does not answer in time',
        },
      ],
      'disk-data:utilization': [
        { componentType: 'system', status: 'pass', observedValue: 41, observedUnit: 'percent', time: '2026-11-20T09:33:28.105Z' },
      ],
    },
  });
});

test('what is degraded is served, and what nobody steers by is 200 whatever it says', () => {
  expect(answerHealth({ ...snapshot, status: 'degraded' }).statusCode).toBe(200);
  expect(answerHealth(snapshot, { alwaysOk: true }).statusCode).toBe(200);
  expect(JSON.parse(answerHealth(aliveAt(at), { accept: 'application/health+json' }).body)).toEqual({ status: 'pass' });
});

test.each([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['application/json', false],
  ['application/health+json', true],
  ['Application/Health+JSON; q=0.9', true],
  ['application/health+json, application/json', true],
  ['application/health+json;q=0.5, application/json', false],
  ['application/health+json;q=0.5, application/json;q=0.4', true],
  ['application/health+json;q=0.5, */*', false],
  ['application/health+json;q=0', false],
  ['application/health+json;q=nonsense', false],
  ['text/html, application/health+json;q=0.2', true],
])('Accept %j: health+json is %s', (accept, expected) => {
  expect(prefersHealthJson(accept)).toBe(expected);
});

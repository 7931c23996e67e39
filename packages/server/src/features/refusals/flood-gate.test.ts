import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import type { NewAuditEvent } from '../../platform/audit/index.ts';
import { FloodGate } from './flood-gate.ts';

function scene(maxSources?: number) {
  const clock = createFakeClock();
  const counted: NewAuditEvent[] = [];
  const gate = new FloodGate({ clock, onCounted: (event) => void counted.push(event), ...(maxSources !== undefined && { maxSources }) });
  let id = 0;
  const event = (address: string): NewAuditEvent => ({
    ...{ id: `id-${id++}`, type: 'authentication.failed', outcome: 'denied', organizationId: null },
    by: { actor: { type: 'anonymous' }, address, requestId: `request-${id}` },
    details: { code: 'key_unknown' },
  });
  return { clock, gate, counted, event };
}

test('the first of a source are told, the others are one event at the end of the minute', () => {
  const { clock, gate, counted, event } = scene();
  const admitted = Array.from({ length: 500 }, () => gate.admit('a', 3, event('203.0.113.1')));
  expect(admitted.filter(Boolean)).toHaveLength(3);
  clock.advance(59_999);
  expect(counted).toStrictEqual([]);
  clock.advance(1);
  expect(counted).toStrictEqual([
    {
      ...{ type: 'authentication.failed', outcome: 'denied', organizationId: null },
      // Of which request would be the last of many.
      by: { actor: { type: 'anonymous' }, address: '203.0.113.1' },
      details: { code: 'key_unknown', count: 497, seconds: 60 },
    },
  ]);
  expect(gate.admit('a', 3, event('203.0.113.1'))).toBe(true);
});

test('one source does not hide another', () => {
  const { gate, event } = scene();
  for (let at = 0; at < 100; at++) gate.admit('a', 1, event('203.0.113.1'));
  expect(gate.admit('b', 1, event('203.0.113.2'))).toBe(true);
});

test('a flood from everywhere is bounded: what comes of more sources than are told apart is counted together', () => {
  const { clock, gate, counted, event } = scene(10);
  const told = Array.from({ length: 1_000 }, (_, at) => gate.admit(`source ${at}`, 1, event(`198.51.100.${at}`)));
  expect(told.filter(Boolean)).toHaveLength(10);
  clock.advance(60_000);
  expect(counted).toStrictEqual([
    {
      ...{ type: 'authentication.failed', outcome: 'denied', organizationId: null, by: { actor: { type: 'anonymous' } } },
      details: { count: 990, seconds: 60 },
    },
  ]);
});

test('what was counted is told at the end, and no timer is left behind', () => {
  const { clock, gate, counted, event } = scene();
  for (let at = 0; at < 3; at++) gate.admit('a', 1, event('203.0.113.1'));
  clock.advance(1_500);
  gate.close();
  expect(counted.map(({ details }) => details)).toStrictEqual([{ code: 'key_unknown', count: 2, seconds: 2 }]);
  clock.advance(120_000);
  expect(counted).toHaveLength(1);
});

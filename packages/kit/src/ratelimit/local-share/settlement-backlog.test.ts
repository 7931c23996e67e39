import { expect, onTestFinished, test } from 'vitest';
import { createFakeClock } from '../../testing/index.ts';
import { createMemoryDriver, gcra, settlementLost, type Settlement } from '../index.ts';
import { SettlementBacklog } from './settlement-backlog.ts';

const driver = createMemoryDriver({ clock: createFakeClock() });
const settlements = (name: string, count: number): Settlement[] => {
  const [bucket] = driver.peek([{ policy: gcra({ name, limit: 1_000, unit: 'tokens' }), key: 'k' }]).buckets;
  return Array.from({ length: count }, (_, at) => ({ bucket: bucket!, actual: at }));
};

test('ten thousand wait, in their order and 200 at a time; those beyond are announced as lost, with the reason', () => {
  const lost: unknown[] = [];
  onTestFinished(settlementLost.subscribe(({ policies, error }) => lost.push([policies, error])));
  const backlog = new SettlementBacklog();
  const all = settlements('first', 9_998);
  backlog.add(all, 'away');
  expect(lost).toEqual([]);
  const last = settlements('last', 5);
  backlog.add(last, 'still away');
  backlog.add(settlements('none', 1), 'full');
  expect(lost).toEqual([
    [['last', 'last', 'last'], 'still away'],
    [['none'], 'full'],
  ]);
  const told: Settlement[] = [];
  for (let next = backlog.next(); next.length > 0; next = backlog.next()) {
    expect(next.length).toBeLessThanOrEqual(200);
    told.push(...next);
  }
  expect(told).toEqual([...all, ...last.slice(0, 2)]);
  // There is room again.
  backlog.add(last, 'away again');
  expect(backlog.next()).toEqual(last);
});

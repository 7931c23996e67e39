import { expect, test } from 'vitest';
import { createLoadCheck } from './load-check.ts';

test('is well up to its limit, and says by how much it is not', async () => {
  let value = 500;
  const check = createLoadCheck({ name: 'event_loop_delay', read: () => value, limit: 500 });
  expect(await check()).toEqual({ message: 'turns in time', measurement: { name: 'delay', value: 500, unit: 'ms' } });
  value = 731.4;
  expect(await check()).toEqual({
    status: 'degraded',
    message: 'is late',
    detail: 'is late: 731 ms of 500',
    measurement: { name: 'delay', value: 731.4, unit: 'ms' },
  });
});

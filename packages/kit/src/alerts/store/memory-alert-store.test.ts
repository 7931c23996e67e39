import { expect, test } from 'vitest';
import { createFakeClock } from '../../testing/index.ts';
import { alertStoreContract } from '../contract/index.ts';
import { noAlertChanges } from '../engine/index.ts';
import { createMemoryAlertStore } from './index.ts';

for (const { name, run } of alertStoreContract(() => {
  const clock = createFakeClock();
  const store = createMemoryAlertStore({ clock });
  return { connect: () => store, advance: (elapsedMs) => clock.advance(elapsedMs), close() {} };
}))
  test(name, run);

test('a store that nobody prunes keeps so much history and no more', async () => {
  const clock = createFakeClock();
  const store = createMemoryAlertStore({ clock, maxHistory: 10 });
  for (let number = 0; number < 50; number++) {
    const id = `id-${String(number).padStart(3, '0')}`;
    await store.update((_book, nowMs) => ({
      changes: {
        ...noAlertChanges,
        alerts: [
          {
            ...{
              id,
              fingerprint: id,
              rule: 'r',
              labels: {},
              severity: 'info',
              unit: 'count',
              groupKey: 'g',
              value: 1,
              threshold: 0,
              bad: 'above',
            },
            ...{
              status: 'resolved',
              sinceMs: nowMs,
              firedMs: nowMs,
              resolvedMs: nowMs,
              clearMs: nowMs,
              resolveAfterMs: 0,
              acknowledged: null,
            },
          },
        ],
      },
      transitions: [],
    }));
  }
  const kept = await store.listAlerts({ limit: 100 });
  expect(kept).toHaveLength(10);
  expect(kept[0]?.id).toBe('id-049');
});

import { createAlertWatch, defineAlertRule, type AlertChannel } from '@holdfast/kit/alerts';
import { alertStoreContract } from '@holdfast/kit/alerts/contract';
import { createSeededRandom } from '@holdfast/kit/testing';
import { systemClock } from '@holdfast/kit/time';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createDatabaseAlertStore } from '../../src/features/alerts/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { createTestTrail } from '../support/audit.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
const instances: Database[] = [];
beforeAll(async () => {
  postgres = await startTestDatabase();
  for (let instance = 0; instance < 4; instance++) instances.push(await postgres.open());
});
afterAll(() => postgres.stop());

const tables = ['alerts', 'alert_observations', 'alert_groups', 'alert_silences', 'alert_deliveries'];
const storeOf = (instance: number) =>
  createDatabaseAlertStore({ database: instances[instance]!, audit: createTestTrail(instances[instance]!), clock: systemClock });
const empty = (): Promise<unknown> => postgres.asSuperuser(`truncate ${tables.map((table) => `holdfast.${table}`).join(', ')}`);

describe('the contract of a store of alerts', () => {
  const contract = alertStoreContract(() => {
    let connected = 0;
    return {
      connect: () => storeOf(connected++),
      // The clock of the database cannot be moved: all that is written is made older.
      async advance(elapsedMs) {
        const ago = `- interval '${elapsedMs} milliseconds'`;
        await postgres.asSuperuser(`update holdfast.alerts set resolved_at = resolved_at ${ago}`);
        await postgres.asSuperuser(
          `update holdfast.alert_deliveries set next_try_at = next_try_at ${ago}, leased_until = leased_until ${ago}`,
        );
      },
      close: async () => void (await empty()),
    };
  });
  for (const { name, run } of contract) test(name, run);
});

describe('several instances', () => {
  afterEach(empty);

  test('that see the same at the same moment tell it once, and its end once when none sees it', async () => {
    const told: string[] = [];
    let value = 2;
    const channel: AlertChannel = {
      ...{ name: 'slack', kind: 'test', minSeverity: 'info', tells: ['firing', 'resolved'] },
      send: async ({ notification }) => void told.push(notification.kind),
    };
    const rule = defineAlertRule({
      name: 'errors',
      metric: 'm',
      threshold: 1,
      summary: 'Bad.',
      forMs: 0,
      resolveAfterMs: 0,
      groupBy: ['of'],
    });
    const watches = instances.map((_, at) =>
      createAlertWatch({
        ...{
          rules: [rule],
          channels: [channel],
          store: storeOf(at),
          clock: systemClock,
          random: createSeededRandom(at),
          instance: String(at),
        },
        read: () => [{ labels: { of: 'all' }, value }],
      }),
    );
    for (let look = 0; look < 3; look++) await Promise.all(watches.map((watch) => watch.look()));
    expect(told).toEqual(['firing']);
    value = 0;
    // The first three that see it over leave it to the last.
    for (const watch of watches.slice(0, 3)) await watch.look();
    expect(told).toEqual(['firing']);
    for (let look = 0; look < 2; look++) await Promise.all(watches.map((watch) => watch.look()));
    expect(told).toEqual(['firing', 'resolved']);
    const [alert, ...more] = await storeOf(0).listAlerts({ limit: 10 });
    expect(more).toEqual([]);
    expect(alert).toMatchObject({ status: 'resolved', labels: { of: 'all' } });
  });
});

test('of one condition there is one open alert, whatever goes wrong', async () => {
  const insert = `insert into holdfast.alerts select gen_random_uuid(), 'same', 'r', '{}', 'info', 'count', 'g', 'firing', now(), now(), null, null, 0, 1, 0, 'above', null`;
  await postgres.asSuperuser(insert);
  await expect(postgres.asSuperuser(insert)).rejects.toThrow(/alerts_open/);
});

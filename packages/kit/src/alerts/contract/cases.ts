import assert from 'node:assert/strict';
import {
  emptyAlertBook,
  noAlertChanges,
  type Alert,
  type AlertBook,
  type AlertChanges,
  type AlertDelivery,
  type AlertGroup,
  type AlertObservation,
  type AlertSilence,
} from '../engine/index.ts';
import type { AlertStore } from '../store/index.ts';
import type { AlertStoreHarness } from './harness.ts';

type Run = (harness: AlertStoreHarness) => Promise<void>;

const idOf = (number: number): string => `019a9c5a-7d40-7c3e-9e1f-${number.toString(16).padStart(12, '0')}`;
const hour = 3_600_000;

function alertOf(number: number, nowMs: number, fields: Partial<Alert> = {}): Alert {
  return {
    id: idOf(number),
    fingerprint: `fingerprint-${number}`,
    rule: 'api-errors',
    labels: { model: `Größe "x" \\ ${number}` },
    severity: 'critical',
    unit: 'ratio',
    groupKey: 'group',
    status: 'firing',
    sinceMs: nowMs - 60_000,
    firedMs: nowMs,
    resolvedMs: null,
    clearMs: null,
    resolveAfterMs: 60_000,
    value: 0.125,
    threshold: 0.05,
    bad: 'above',
    acknowledged: null,
    ...fields,
  };
}

function deliveryOf(number: number, nowMs: number, fields: Partial<AlertDelivery> = {}): AlertDelivery {
  return {
    id: idOf(number),
    channel: 'slack',
    groupKey: `group-${number}`,
    notification: {
      kind: 'firing',
      cause: 'fired',
      rule: 'api-errors',
      dedupKey: 'test/group',
      deployment: 'test',
      severity: 'critical',
      atMs: nowMs,
      summary: 'Requests fail; DROP TABLE alerts; --',
      action: '',
      look: ['GET /api/alerts'],
      alerts: [alertOf(number, nowMs)],
      count: 1,
    },
    status: 'pending',
    attempts: 0,
    createdMs: nowMs,
    nextTryMs: nowMs,
    finishedMs: null,
    lastError: null,
    ...fields,
  };
}

/** Writes what is made from the store's own time, which it returns. */
async function write(store: AlertStore, changesOf: (nowMs: number) => Partial<AlertChanges>): Promise<number> {
  let at = 0;
  await store.update((_book, nowMs) => {
    at = nowMs;
    return { changes: { ...noAlertChanges, ...changesOf(nowMs) }, transitions: [] };
  });
  return at;
}

async function bookOf(store: AlertStore): Promise<AlertBook> {
  const { alerts, observations, groups, silences } = await store.read();
  const by = <Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => string): Entry[] =>
    [...entries].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return {
    alerts: by(alerts, ({ id }) => id),
    observations: by(observations, ({ fingerprint, instance }) => `${fingerprint} ${instance}`),
    groups: by(groups, ({ key }) => key),
    silences: by(silences, ({ id }) => id),
  };
}

const take = { channels: ['slack', 'pager'], limit: 10, leaseMs: 60_000 };

export const cases: Readonly<Record<string, Run>> = {
  'an empty store has nothing': async ({ connect }) => {
    const store = await connect();
    assert.deepEqual(await store.read(), emptyAlertBook);
    assert.deepEqual(await store.takeDeliveries(take), []);
    assert.deepEqual(await store.listAlerts({ limit: 10 }), []);
    assert.equal(await store.findAlert(idOf(1)), undefined);
    await store.prune(0);
  },

  'every field comes back as it was given, at another instance too': async ({ connect }) => {
    const store = await connect();
    let book!: AlertBook;
    const at = await write(store, (nowMs) => {
      const alerts = [
        alertOf(1, nowMs),
        alertOf(2, nowMs, { status: 'pending', firedMs: null, labels: {}, severity: 'info', bad: 'below', unit: 'days', value: -3.5 }),
        alertOf(3, nowMs, { status: 'resolved', clearMs: nowMs - 2, resolvedMs: nowMs - 1, severity: 'warning' }),
        alertOf(4, nowMs, { clearMs: nowMs, acknowledged: { atMs: nowMs, by: "o'brien", note: 'line\nline' } }),
      ];
      const observations: AlertObservation[] = [
        { fingerprint: 'fingerprint-1', instance: 'a', rule: 'api-errors', labels: { a: 'b' }, value: 1.5, expiresMs: nowMs + hour },
        { fingerprint: 'fingerprint-1', instance: 'b', rule: 'api-errors', labels: {}, value: 0, expiresMs: nowMs + hour },
      ];
      const groups: AlertGroup[] = [
        { key: 'group', rule: 'api-errors', told: [idOf(1), idOf(4)], toldMs: nowMs, channels: ['slack', 'pager'] },
      ];
      const silences: AlertSilence[] = [
        {
          id: idOf(9),
          matchers: [{ label: 'rule', value: 'api-*' }],
          startsMs: nowMs,
          endsMs: nowMs + hour,
          by: null,
          reason: 'maintenance; ticket 4711',
        },
      ];
      book = { alerts, observations, groups, silences };
      return book;
    });
    assert.ok(Number.isInteger(at) && at > 0);
    assert.deepEqual(await bookOf(store), book);
    assert.deepEqual(await bookOf(await connect()), book);
    assert.deepEqual(await store.findAlert(idOf(4)), book.alerts[3]);
  },

  'what is written again is replaced, and what is taken away is gone': async ({ connect }) => {
    const store = await connect();
    const observation = { fingerprint: 'fingerprint-1', rule: 'api-errors', labels: {}, value: 1, expiresMs: Date.UTC(2100, 0) };
    await write(store, (nowMs) => ({
      alerts: [alertOf(1, nowMs, { status: 'pending', firedMs: null }), alertOf(2, nowMs, { status: 'pending', firedMs: null })],
      observations: [
        { ...observation, instance: 'a' },
        { ...observation, instance: 'b' },
      ],
      groups: [
        { key: 'one', rule: 'api-errors', told: [], toldMs: nowMs, channels: [] },
        { key: 'two', rule: 'api-errors', told: [], toldMs: nowMs, channels: [] },
      ],
      silences: [{ id: idOf(9), matchers: [], startsMs: nowMs, endsMs: nowMs + hour, by: null, reason: '' }],
    }));
    const at = await write(store, (nowMs) => ({
      alerts: [alertOf(1, nowMs, { value: 7 })],
      forgottenAlerts: [idOf(2)],
      observations: [{ ...observation, instance: 'a', value: 2 }],
      forgottenObservations: [{ fingerprint: 'fingerprint-1', instance: 'b' }],
      groups: [{ key: 'one', rule: 'api-errors', told: [idOf(1)], toldMs: nowMs, channels: ['slack'] }],
      closedGroups: ['two'],
      silences: [{ id: idOf(9), matchers: [], startsMs: nowMs - 1, endsMs: nowMs, by: null, reason: '' }],
    }));
    assert.deepEqual(await bookOf(await connect()), {
      alerts: [alertOf(1, at, { value: 7 })],
      observations: [{ ...observation, instance: 'a', value: 2 }],
      groups: [{ key: 'one', rule: 'api-errors', told: [idOf(1)], toldMs: at, channels: ['slack'] }],
      silences: [],
    });
  },

  'an update that throws writes nothing': async ({ connect }) => {
    const store = await connect();
    await assert.rejects(
      store.update(() => {
        throw new Error('stop');
      }),
      /stop/,
    );
    assert.deepEqual(await store.read(), emptyAlertBook);
  },

  'of instances that look at the same moment one after the other decides': async ({ connect }) => {
    const stores: AlertStore[] = [];
    for (let instance = 0; instance < 4; instance++) stores.push(await connect());
    const made = await Promise.all(
      stores.flatMap((store, index) =>
        [0, 1, 2].map((round) =>
          store.update((book, nowMs) => {
            const alerts = book.alerts.length === 0 ? [alertOf(10 * index + round, nowMs)] : [];
            return { changes: { ...noAlertChanges, alerts }, transitions: [] };
          }),
        ),
      ),
    );
    assert.equal(made.filter(({ changes }) => changes.alerts.length > 0).length, 1);
    assert.equal((await stores[0]!.read()).alerts.length, 1);
  },

  'an alert that was resolved long ago leaves the book, and stays in the list': async ({ connect, advance }) => {
    const store = await connect();
    await write(store, (nowMs) => ({ alerts: [alertOf(1, nowMs, { status: 'resolved', resolvedMs: nowMs })] }));
    assert.equal((await store.read()).alerts.length, 1);
    await advance(hour + 1_000);
    assert.equal((await (await connect()).update((book) => ({ changes: noAlertChanges, transitions: [], book }))).book.alerts.length, 0);
    assert.equal((await store.listAlerts({ limit: 10 })).length, 1);
  },

  'a delivery is taken by one, and by another only when its time has passed': async ({ connect, advance }) => {
    const [one, two] = [await connect(), await connect()];
    let delivery!: AlertDelivery;
    await write(one, (nowMs) => ({ deliveries: [(delivery = deliveryOf(1, nowMs))] }));
    const [first, second] = await Promise.all([one.takeDeliveries(take), two.takeDeliveries(take)]);
    assert.deepEqual([...first, ...second], [delivery]);
    assert.deepEqual(await two.takeDeliveries(take), []);
    await advance(61_000);
    assert.equal((await two.takeDeliveries(take)).length, 1);
  },

  'a delivery that is written twice is one, and a settled one stays settled': async ({ connect }) => {
    const store = await connect();
    await write(store, (nowMs) => ({ deliveries: [deliveryOf(1, nowMs)] }));
    await store.takeDeliveries(take);
    await store.settleDelivery(idOf(1), { status: 'delivered' });
    await store.settleDelivery(idOf(1), { status: 'failed', error: 'alert_channel_refused' });
    await write(store, (nowMs) => ({ deliveries: [deliveryOf(1, nowMs)] }));
    const [delivery, ...more] = await store.listDeliveries({ limit: 10 });
    assert.deepEqual(more, []);
    assert.equal(delivery?.status, 'delivered');
    assert.equal(delivery.attempts, 1);
    assert.equal(delivery.lastError, null);
    assert.ok(delivery.finishedMs !== null);
    assert.deepEqual(await store.takeDeliveries(take), []);
  },

  'one that failed comes again after its wait, and no sooner': async ({ connect, advance }) => {
    const store = await connect();
    await write(store, (nowMs) => ({ deliveries: [deliveryOf(1, nowMs)] }));
    await store.takeDeliveries(take);
    await store.settleDelivery(idOf(1), { status: 'pending', error: 'alert_channel_failed', afterMs: 30_000 });
    assert.deepEqual(await store.takeDeliveries(take), []);
    await advance(30_500);
    const [again] = await store.takeDeliveries(take);
    assert.equal(again?.attempts, 1);
    assert.equal(again.lastError, 'alert_channel_failed');
    await store.settleDelivery(idOf(1), { status: 'failed', error: 'alert_channel_refused' });
    assert.equal((await store.listDeliveries({ limit: 1, status: 'failed' }))[0]?.lastError, 'alert_channel_refused');
  },

  'the end of a group is not taken before its beginning is told, on each channel for itself': async ({ connect, advance }) => {
    const store = await connect();
    await write(store, (nowMs) => ({
      deliveries: [
        deliveryOf(1, nowMs, { groupKey: 'group' }),
        deliveryOf(2, nowMs, { groupKey: 'group', channel: 'pager' }),
        deliveryOf(3, nowMs, { groupKey: 'group' }),
        deliveryOf(4, nowMs, { groupKey: 'group', channel: 'pager' }),
        deliveryOf(5, nowMs, { groupKey: 'another' }),
      ],
    }));
    const ids = async (): Promise<string[]> => (await store.takeDeliveries(take)).map(({ id }) => id);
    assert.deepEqual(await ids(), [idOf(1), idOf(2), idOf(5)]);
    await store.settleDelivery(idOf(2), { status: 'delivered' });
    assert.deepEqual(await ids(), [idOf(4)]);
    await store.settleDelivery(idOf(1), { status: 'pending', error: 'alert_channel_failed', afterMs: 30_000 });
    assert.deepEqual(await ids(), []);
    await advance(30_500);
    assert.deepEqual(await ids(), [idOf(1)]);
    await store.settleDelivery(idOf(1), { status: 'failed', error: 'alert_channel_failed' });
    assert.deepEqual(await ids(), [idOf(3)]);
  },

  'deliveries of channels that nobody asks for wait for those who know them': async ({ connect }) => {
    const store = await connect();
    await write(store, (nowMs) => ({ deliveries: [deliveryOf(1, nowMs, { channel: 'mail' })] }));
    assert.deepEqual(await store.takeDeliveries(take), []);
    assert.deepEqual(await store.takeDeliveries({ ...take, channels: [] }), []);
    assert.equal((await store.takeDeliveries({ ...take, channels: ['mail'] })).length, 1);
  },

  'no more are taken at once than were asked for, the oldest first': async ({ connect }) => {
    const store = await connect();
    await write(store, (nowMs) => ({ deliveries: [1, 2, 3].map((number) => deliveryOf(number, nowMs)) }));
    assert.deepEqual(
      (await store.takeDeliveries({ ...take, limit: 2 })).map(({ id }) => id),
      [idOf(1), idOf(2)],
    );
  },

  'alerts and deliveries are listed newest first, by what is asked for, page by page': async ({ connect }) => {
    const store = await connect();
    await write(store, (nowMs) => ({
      alerts: [
        alertOf(1, nowMs),
        alertOf(2, nowMs, { rule: 'disk', severity: 'warning' }),
        alertOf(3, nowMs, { status: 'resolved', resolvedMs: nowMs }),
      ],
      deliveries: [deliveryOf(1, nowMs), deliveryOf(2, nowMs, { channel: 'pager' }), deliveryOf(3, nowMs)],
    }));
    const numbers = (entries: readonly { readonly id: string }[]): number[] => entries.map(({ id }) => Number.parseInt(id.slice(24), 16));
    assert.deepEqual(numbers(await store.listAlerts({ limit: 2 })), [3, 2]);
    assert.deepEqual(numbers(await store.listAlerts({ limit: 2, before: idOf(2) })), [1]);
    assert.deepEqual(numbers(await store.listAlerts({ limit: 9, status: 'firing' })), [2, 1]);
    assert.deepEqual(numbers(await store.listAlerts({ limit: 9, rule: 'disk' })), [2]);
    assert.deepEqual(numbers(await store.listAlerts({ limit: 9, severity: 'critical' })), [3, 1]);
    assert.deepEqual(numbers(await store.listDeliveries({ limit: 2 })), [3, 2]);
    assert.deepEqual(numbers(await store.listDeliveries({ limit: 9, before: idOf(3), channel: 'slack' })), [1]);
    assert.deepEqual(numbers(await store.listDeliveries({ limit: 9, status: 'delivered' })), []);
  },

  'what was over before a moment is deleted, and what is open never': async ({ connect }) => {
    const store = await connect();
    const at = await write(store, (nowMs) => ({
      alerts: [
        alertOf(1, nowMs),
        alertOf(2, nowMs, { status: 'resolved', resolvedMs: nowMs }),
        alertOf(3, nowMs, { status: 'resolved', resolvedMs: nowMs - hour }),
      ],
      deliveries: [deliveryOf(1, nowMs), deliveryOf(2, nowMs - hour)],
    }));
    await store.prune(at - hour + 1);
    assert.deepEqual(
      (await store.listAlerts({ limit: 9 })).map(({ id }) => id),
      [idOf(2), idOf(1)],
    );
    assert.deepEqual(
      (await store.listDeliveries({ limit: 9 })).map(({ id }) => id),
      [idOf(1)],
    );
  },
};

import { beforeEach, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../errors/index.ts';
import { createFakeClock, createSeededRandom, type FakeClock } from '../../testing/index.ts';
import type { AlertChannel } from '../channel.ts';
import type { AlertDelivery } from '../engine/index.ts';
import { alertChanged, alertDelivered, alertRuleUnread, alertStoreLost, alertStoreRecovered } from '../events.ts';
import { defineAlertRule, type AlertRule, type AlertSample } from '../rules/index.ts';
import { createMemoryAlertStore, type AlertStore, type MemoryAlertStore } from '../store/index.ts';
import { createAlertWatch, type AlertWatch, type AlertWatchOptions } from './index.ts';

let clock: FakeClock;
let store: MemoryAlertStore;
let values: Record<string, number | Error>;
let announced: string[];
beforeEach(() => {
  clock = createFakeClock();
  store = createMemoryAlertStore({ clock });
  values = {};
  announced = [];
  const stops = [
    alertChanged.subscribe(({ change, alert }) => announced.push(`${change} ${alert.rule}`)),
    alertDelivered.subscribe(({ outcome, channel, kind, error }) =>
      announced.push([outcome, channel, kind, error].filter(Boolean).join(' ')),
    ),
    alertRuleUnread.subscribe(({ rule }) => announced.push(`unread ${rule}`)),
    alertStoreLost.subscribe(() => announced.push('store lost')),
    alertStoreRecovered.subscribe(({ awayMs }) => announced.push(`store back after ${awayMs}`)),
  ];
  return () => stops.forEach((stop) => stop());
});

const rule = (name: string, fields: Partial<AlertRule> = {}): AlertRule =>
  defineAlertRule({
    name,
    metric: name,
    threshold: 1,
    summary: `${name} is bad.`,
    forMs: 0,
    resolveAfterMs: 0,
    severity: 'critical',
    ...fields,
  });

interface TestChannel extends AlertChannel {
  readonly told: string[];
  readonly ids: string[];
  failure: HoldfastError | undefined;
}

function channelOf(name: string, fields: Partial<AlertChannel> = {}): TestChannel {
  const channel: TestChannel = {
    ...{ name, kind: 'test', minSeverity: 'info', tells: ['firing', 'resolved', 'acknowledged'], told: [], ids: [], failure: undefined },
    async send({ id, notification: { kind, rule } }: AlertDelivery) {
      channel.ids.push(id);
      if (channel.failure !== undefined) throw channel.failure;
      channel.told.push(`${kind} ${rule}`);
    },
    ...fields,
  };
  return channel;
}

function watchOf(channels: readonly AlertChannel[], options: Partial<AlertWatchOptions> = {}): AlertWatch {
  return createAlertWatch({
    rules: [rule('errors'), rule('disk')],
    read: (metric): AlertSample[] => {
      const value = values[metric] ?? 0;
      if (value instanceof Error) throw value;
      return [{ labels: {}, value }];
    },
    ...{ channels, store, clock, random: createSeededRandom(1), instance: 'a', ...options },
  });
}

/** The store as an instance has it whose connection can be cut. */
function shaky(): { readonly store: AlertStore; away: boolean } {
  const handle = {
    away: false,
    store: new Proxy(store, {
      get(target, name: keyof AlertStore) {
        const method = target[name] as (...words: unknown[]) => Promise<unknown>;
        return (...words: unknown[]) =>
          handle.away ? Promise.reject(new HoldfastError('database_unavailable')) : method.apply(target, words);
      },
    }),
  };
  return handle;
}

describe('channels that are replaced', () => {
  test('are told from then on; one that stays is the same, one that goes is closed when it is through', async () => {
    const closed: string[] = [];
    let through!: () => void;
    const slow = channelOf('slow', {
      send: () => new Promise<void>((resolve) => (through = resolve)),
      close: () => void closed.push('slow'),
    });
    const [stays, comes] = [channelOf('stays', { close: () => void closed.push('stays') }), channelOf('comes')];
    const watch = watchOf([slow, stays]);
    values['errors'] = 2;
    const looking = watch.look();
    await clock.advanceAsync(1);
    watch.replaceChannels([stays, comes]);
    expect(watch.channels).toEqual([stays, comes]);
    await clock.advanceAsync(1);
    expect(closed).toEqual([]);
    through();
    await looking;
    await clock.advanceAsync(1);
    expect(closed).toEqual(['slow']);
    expect(stays.told).toEqual(['firing errors']);
    values['disk'] = 2;
    await watch.look();
    expect(stays.told).toEqual(['firing errors', 'firing disk']);
    expect(comes.told).toEqual(['firing disk']);
    await watch.close();
    expect(closed).toEqual(['slow', 'stays']);
  });

  test('and gone leave what was not told to one of the same name', async () => {
    const before = channelOf('ops');
    before.failure = new HoldfastError('alert_channel_failed');
    const watch = watchOf([before]);
    values['errors'] = 2;
    await watch.look();
    watch.replaceChannels([]);
    clock.advance(60_000);
    await watch.look();
    const after = channelOf('ops');
    watch.replaceChannels([after]);
    await watch.look();
    expect(after.told).toEqual(['firing errors']);
    expect(after.ids).toEqual(before.ids);
    await watch.close();
  });
});

describe('looking', () => {
  test('happens each half minute from the start to the end, and tells what it sees', async () => {
    const slack = channelOf('slack');
    const watch = watchOf([slack]);
    watch.start();
    values['errors'] = 2;
    await clock.advanceAsync(29_999);
    expect(slack.told).toEqual([]);
    await clock.advanceAsync(1);
    expect(slack.told).toEqual(['firing errors']);
    values['errors'] = 0;
    await clock.advanceAsync(30_000);
    expect(slack.told).toEqual(['firing errors', 'resolved errors']);
    expect(announced).toEqual(['fired errors', 'delivered slack firing', 'resolved errors', 'delivered slack resolved']);
    await watch.close();
    values['errors'] = 2;
    await clock.advanceAsync(600_000);
    expect(slack.told).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is not done twice at once, however long it takes', async () => {
    let reads = 0;
    let release!: (samples: AlertSample[]) => void;
    const watch = watchOf([], { rules: [rule('errors')], read: () => (reads++, new Promise((resolve) => (release = resolve))) });
    const looks = [watch.look(), watch.look()];
    await clock.advanceAsync(0);
    release([]);
    await Promise.all(looks);
    expect(reads).toBe(1);
  });

  test('a value that cannot be read, or not in time, keeps no other rule from being looked at', async () => {
    const slack = channelOf('slack');
    const hangs = new Promise<AlertSample[]>(() => {});
    const read = (metric: string) => {
      if (metric === 'broken') throw new Error('no');
      return metric === 'slow' ? hangs : [{ labels: {}, value: 2 }];
    };
    const watch = watchOf([slack], { rules: [rule('broken'), rule('slow'), rule('errors')], read });
    const look = watch.look();
    await clock.advanceAsync(5_000);
    await look;
    expect(slack.told).toEqual(['firing errors']);
    expect(announced).toEqual(['unread broken', 'unread slow', 'fired errors', 'delivered slack firing']);
  });

  test('rules that ask for the same value share one reading', async () => {
    const asked: string[] = [];
    const rules = [rule('one', { metric: 'm' }), rule('two', { metric: 'm' }), rule('three', { metric: 'm', windowMs: 60_000 })];
    const watch = watchOf([], { rules, read: (metric, windowMs) => (asked.push(`${metric} ${windowMs}`), []) });
    await watch.look();
    expect(asked).toEqual(['m 300000', 'm 60000']);
  });

  test('goes by the rules of the moment', async () => {
    const slack = channelOf('slack');
    const watch = watchOf([slack]);
    values = { errors: 2, latency: 2 };
    await watch.look();
    watch.replaceRules([rule('latency')]);
    expect(watch.rules.map(({ name }) => name)).toEqual(['latency']);
    await watch.look();
    // What this instance saw by a rule that is gone it does not see any more: nothing waits for it to expire.
    expect(slack.told).toEqual(['firing errors', 'resolved errors', 'firing latency']);
  });
});

describe('delivering', () => {
  test('a channel hears of its severities, and each of all of them by itself', async () => {
    const [slack, pager] = [channelOf('slack'), channelOf('pager', { minSeverity: 'critical' })];
    slack.failure = new HoldfastError('alert_channel_failed');
    const watch = watchOf([slack, pager], { rules: [rule('errors'), rule('disk', { severity: 'warning' })] });
    values = { errors: 2, disk: 2 };
    await watch.look();
    expect(pager.told).toEqual(['firing errors']);
    expect(slack.ids).toHaveLength(2);
  });

  test('one that fails is tried again later with the same id, and the end waits behind the beginning', async () => {
    const slack = channelOf('slack');
    slack.failure = new HoldfastError('alert_channel_failed');
    const watch = watchOf([slack]);
    values['errors'] = 2;
    await watch.look();
    values['errors'] = 0;
    await clock.advanceAsync(30_000);
    await watch.look();
    expect(new Set(slack.ids).size).toBe(1);
    expect(slack.ids).toHaveLength(2);
    slack.failure = undefined;
    await clock.advanceAsync(30_000);
    await watch.look();
    expect(slack.told).toEqual(['firing errors', 'resolved errors']);
    expect(await store.listDeliveries({ limit: 9 })).toMatchObject([
      { status: 'delivered', attempts: 1 },
      { status: 'delivered', attempts: 3, lastError: null },
    ]);
  });

  test('waits longer each time, up to a quarter of an hour, and gives up after six hours', async () => {
    const slack = channelOf('slack');
    const tries: number[] = [];
    const failing = async (): Promise<void> => {
      tries.push(clock.now());
      throw new HoldfastError('alert_channel_failed');
    };
    const watch = watchOf([{ ...slack, send: failing }]);
    values['errors'] = 2;
    for (let look = 0; look < 780; look++) {
      await watch.look();
      values['errors'] = 0;
      await clock.advanceAsync(30_000);
    }
    const waits = tries.slice(1).map((at, index) => at - tries[index]!);
    expect(waits.slice(0, 5)).toEqual([30_000, 30_000, 60_000, 120_000, 210_000]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(930_000);
    expect((await store.listDeliveries({ limit: 9 })).at(-1)).toMatchObject({ status: 'failed', lastError: 'alert_channel_failed' });
  });

  test('what the receiver refuses for good is not tried again', async () => {
    const slack = channelOf('slack');
    slack.failure = new HoldfastError('alert_channel_refused');
    const watch = watchOf([slack]);
    values['errors'] = 2;
    await watch.look();
    await clock.advanceAsync(3_600_000);
    await watch.look();
    expect(slack.ids).toHaveLength(1);
    expect(announced).toContain('failed slack firing alert_channel_refused');
    expect(await store.listDeliveries({ limit: 9 })).toMatchObject([{ status: 'failed', attempts: 1, lastError: 'alert_channel_refused' }]);
  });

  test('a delivery that was made is not made again because the store could not be told', async () => {
    const slack = channelOf('slack');
    const settle = store.settleDelivery.bind(store);
    let failing = true;
    store.settleDelivery = (...words) => (failing ? Promise.reject(new HoldfastError('database_unavailable')) : settle(...words));
    const watch = watchOf([slack]);
    values['errors'] = 2;
    await watch.look();
    await clock.advanceAsync(61_000);
    failing = false;
    await watch.look();
    expect(slack.ids).toHaveLength(1);
    expect(await store.listDeliveries({ limit: 9 })).toMatchObject([{ status: 'delivered' }]);
  });

  test('what a stop breaks off is taken up by whoever comes next', async () => {
    const slow = channelOf('slack', {
      send: (_delivery, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const watch = watchOf([slow]);
    values['errors'] = 2;
    const look = watch.look();
    await clock.advanceAsync(0);
    await watch.close();
    await look;
    const slack = channelOf('slack');
    await clock.advanceAsync(61_000);
    await watchOf([slack], { instance: 'b' }).look();
    expect(slack.told).toEqual(['firing errors']);
  });

  test('an instance that starts anew tells nothing again', async () => {
    const slack = channelOf('slack');
    values['errors'] = 2;
    await watchOf([slack]).look();
    await clock.advanceAsync(30_000);
    await watchOf([slack], { instance: 'b' }).look();
    values['errors'] = 0;
    await clock.advanceAsync(90_000);
    await watchOf([slack], { instance: 'c' }).look();
    expect(slack.told).toEqual(['firing errors', 'resolved errors']);
  });
});

describe('by hand', () => {
  test('an alert is acknowledged, told to the channels that were told, and announced', async () => {
    const slack = channelOf('slack');
    const watch = watchOf([slack]);
    values['errors'] = 2;
    await watch.look();
    const { id } = (await store.listAlerts({ limit: 1 }))[0]!;
    expect(await watch.acknowledge({ id, by: 'key-1', note: 'on it' })).toMatchObject({ acknowledged: { by: 'key-1', note: 'on it' } });
    await clock.advanceAsync(0);
    expect(slack.told).toEqual(['firing errors', 'acknowledged errors']);
    expect(announced).toContain('acknowledged errors');
    expect(await watch.acknowledge({ id: 'nothing', by: null, note: null })).toBeUndefined();
  });

  test('a silence is made, listed and ended', async () => {
    const slack = channelOf('slack');
    const watch = watchOf([slack]);
    const matchers = [{ label: 'rule', value: 'errors' }];
    const silence = await watch.silence({
      matchers,
      startsMs: clock.now(),
      endsMs: clock.now() + 3_600_000,
      by: 'key-1',
      reason: 'upgrade',
    });
    expect(await watch.silences()).toEqual([silence]);
    values['errors'] = 2;
    await watch.look();
    expect(slack.told).toEqual([]);
    expect(await watch.endSilence(silence.id)).toMatchObject({ id: silence.id, endsMs: clock.now() });
    expect(await watch.endSilence(silence.id)).toBeUndefined();
    expect(await watch.silences()).toEqual([]);
    await watch.look();
    expect(slack.told).toEqual(['firing errors']);
  });
});

describe('while the store is away', () => {
  test('rules go on, what fires is told, and nothing of it is told again when the store is back', async () => {
    const slack = channelOf('slack');
    const link = shaky();
    const watch = watchOf([slack], { store: link.store });
    values['errors'] = 2;
    await watch.look();
    link.away = true;
    values['disk'] = 2;
    for (let look = 0; look < 3; look++) {
      await clock.advanceAsync(30_000);
      await watch.look();
    }
    expect(slack.told).toEqual(['firing errors', 'firing disk']);
    values['errors'] = 0;
    await clock.advanceAsync(30_000);
    await watch.look();
    link.away = false;
    for (let look = 0; look < 3; look++) {
      await clock.advanceAsync(30_000);
      await watch.look();
    }
    values['disk'] = 0;
    await clock.advanceAsync(30_000);
    await watch.look();
    expect(slack.told).toEqual(['firing errors', 'firing disk', 'resolved errors', 'resolved disk']);
    expect(announced.filter((line) => line.startsWith('store'))).toEqual(['store lost', 'store back after 120000']);
    expect(await store.listAlerts({ limit: 9 })).toMatchObject([
      { rule: 'disk', status: 'resolved' },
      { rule: 'errors', status: 'resolved' },
    ]);
  });

  test('what could not be told meanwhile is delivered from the store afterwards', async () => {
    const slack = channelOf('slack');
    const link = shaky();
    const watch = watchOf([slack], { store: link.store });
    link.away = true;
    slack.failure = new HoldfastError('alert_channel_failed');
    values['errors'] = 2;
    await watch.look();
    link.away = false;
    slack.failure = undefined;
    await clock.advanceAsync(30_000);
    await watch.look();
    expect(slack.told).toEqual(['firing errors']);
    expect(new Set(slack.ids).size).toBe(1);
    expect(await store.listDeliveries({ limit: 9 })).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  });

  test('of two instances that were both alone the second to come back tells nothing anew', async () => {
    const slack = channelOf('slack');
    const links = [shaky(), shaky()];
    const watches = links.map((link, at) => watchOf([slack], { store: link.store, instance: String(at) }));
    const lookAll = async () => {
      for (const watch of watches) await watch.look();
      await clock.advanceAsync(30_000);
    };
    await lookAll();
    for (const link of links) link.away = true;
    values['errors'] = 2;
    await lookAll();
    await lookAll();
    // Each for itself, under the same key: a pager makes one incident of it.
    expect(slack.told).toEqual(['firing errors', 'firing errors']);
    links[0]!.away = false;
    await lookAll();
    links[1]!.away = false;
    await lookAll();
    await lookAll();
    expect(slack.told).toEqual(['firing errors', 'firing errors']);
    values['errors'] = 0;
    await lookAll();
    await lookAll();
    expect(slack.told).toEqual(['firing errors', 'firing errors', 'resolved errors']);
    expect((await store.listAlerts({ limit: 9 })).map(({ status }) => status)).toEqual(['resolved']);
  });

  test('what another has seen the end of meanwhile is not begun again', async () => {
    const slack = channelOf('slack');
    const links = [shaky(), shaky()];
    const watches = links.map((link, at) => watchOf([slack], { store: link.store, instance: String(at) }));
    const lookAll = async () => {
      for (const watch of watches) await watch.look();
      await clock.advanceAsync(30_000);
    };
    links[1]!.away = true;
    values['errors'] = 2;
    await lookAll();
    values['errors'] = 0;
    // The second looks no more until the first has told the end.
    await watches[0]!.look();
    await clock.advanceAsync(30_000);
    links[1]!.away = false;
    await lookAll();
    await lookAll();
    expect(slack.told.filter((line) => line.startsWith('resolved'))).toEqual(['resolved errors']);
    expect((await store.listAlerts({ limit: 9 })).map(({ status }) => status)).toEqual(['resolved']);
  });
});

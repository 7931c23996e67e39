import { describe, expect, test } from 'vitest';
import { defineAlertRule, type AlertRuleOptions, type AlertSample } from '../rules/index.ts';
import { acknowledge, applyChanges, emptyAlertBook, evaluate, type AlertBook, type AlertSilence, type AlertUpdate } from './index.ts';

const startMs = Date.UTC(2026, 0, 1);

/** One instance that looks each half minute. */
function scene(options: Partial<AlertRuleOptions> = {}, repeatMs = 3_600_000) {
  const rule = defineAlertRule({ name: 'errors', metric: 'm', threshold: 5, summary: 'Requests fail.', forMs: 60_000, ...options });
  const rules = new Map([[rule.name, rule]]);
  let book: AlertBook = emptyAlertBook;
  let nowMs = startMs;
  let count = 0;
  const terms = () => ({
    ...{ nowMs, rules, repeatMs, deployment: 'test', createId: () => `id-${count++}` },
    routes: [{ channel: 'slack', minSeverity: 'info' as const, tells: ['firing' as const, 'resolved' as const, 'acknowledged' as const] }],
  });
  function applied<Update extends AlertUpdate>(update: Update): Update {
    book = applyChanges(book, update.changes, nowMs);
    return update;
  }
  return {
    rule,
    book: () => book,
    /** What was told, after the next half minute. */
    look(samples: readonly AlertSample[] | number | undefined, instance = 'a'): string[] {
      nowMs += 30_000;
      const values = typeof samples === 'number' ? [{ labels: {}, value: samples }] : samples;
      const readings = { samples: values ? new Map([[rule.name, values]]) : new Map(), instance, ttlMs: 75_000 };
      const { changes } = applied(evaluate(book, terms(), readings));
      return changes.deliveries.map(({ notification: { kind, cause, count } }) => [kind, cause, count].filter(Boolean).join(' '));
    },
    acknowledge: (id: string) => {
      const update = acknowledge(book, terms(), { id, by: 'key-1', note: null });
      return update && applied(update).changes.deliveries.map(({ notification }) => notification.kind);
    },
    silence(silence: Partial<AlertSilence>) {
      const whole = {
        id: 's',
        matchers: [{ label: 'rule', value: 'errors' }],
        startsMs: nowMs,
        endsMs: nowMs + 600_000,
        by: null,
        reason: '',
        ...silence,
      };
      book = { ...book, silences: [whole] };
    },
  };
}

describe('states', () => {
  test('inactive, pending for its time, firing, resolved', () => {
    const { look, book } = scene();
    expect(look(5)).toEqual([]);
    expect(book().alerts).toEqual([]);
    expect(look(6)).toEqual([]);
    expect(book().alerts).toMatchObject([{ status: 'pending', sinceMs: startMs + 60_000, firedMs: null, value: 6 }]);
    expect(look(7)).toEqual([]);
    expect(look(8)).toEqual(['firing fired 1']);
    expect(book().alerts).toMatchObject([{ status: 'firing', firedMs: startMs + 120_000, value: 8 }]);
    expect(look(9)).toEqual([]);
    expect([look(1), look(1)]).toEqual([[], []]);
    expect(book().alerts).toMatchObject([{ status: 'firing', clearMs: startMs + 180_000, value: 9 }]);
    expect(look(1)).toEqual(['resolved 1']);
    expect(book().alerts).toMatchObject([{ status: 'resolved', resolvedMs: startMs + 240_000 }]);
  });

  test('what is over before its time leaves nothing behind', () => {
    const { look, book } = scene();
    expect([look(6), look(1), look(6), look(1)]).toEqual([[], [], [], []]);
    expect(book()).toEqual(emptyAlertBook);
  });

  test('what comes back within the wait for its end is the same alert', () => {
    const { look, book } = scene({ forMs: 0 });
    expect([look(6), look(1), look(6), look(1), look(6)]).toEqual([['firing fired 1'], [], [], [], []]);
    expect(book().alerts).toMatchObject([{ status: 'firing', clearMs: null }]);
  });

  test('a firing alert ends at its other threshold, a pending one at the first', () => {
    const { look, book } = scene({ forMs: 0, resolveThreshold: 3, resolveAfterMs: 0 });
    expect(look(4)).toEqual([]);
    expect(look(6)).toEqual(['firing fired 1']);
    expect(look(4)).toEqual([]);
    expect(book().alerts).toMatchObject([{ status: 'firing', value: 4 }]);
    expect(look(3)).toEqual(['resolved 1']);
    expect(look(4)).toEqual([]);
  });

  test('below is bad where the rule says so', () => {
    const { look, book } = scene({ bad: 'below', forMs: 0, resolveThreshold: 10, resolveAfterMs: 0, unit: 'days' });
    expect([look(5), look(4), look(8), look(11)]).toEqual([[], ['firing fired 1'], [], ['resolved 1']]);
    expect(book().alerts).toMatchObject([{ bad: 'below', value: 8 }]);
  });
});

describe('values', () => {
  test('out of too few observations, and those that are no numbers, are not judged', () => {
    const { look, book } = scene({ forMs: 0, minCount: 20 });
    expect(look([{ labels: {}, value: 100, count: 19 }])).toEqual([]);
    expect(look([{ labels: {}, value: Number.NaN, count: 100 }])).toEqual([]);
    expect(book()).toEqual(emptyAlertBook);
    expect(look([{ labels: {}, value: 100, count: 20 }])).toEqual(['firing fired 1']);
  });

  test('of other labels than the rule asks for are not looked at', () => {
    const { look } = scene({ forMs: 0, where: { model: 'fast' } });
    expect(
      look([
        { labels: { model: 'slow' }, value: 9 },
        { labels: {}, value: 9 },
      ]),
    ).toEqual([]);
    expect(look([{ labels: { model: 'fast', of: '1' }, value: 9 }])).toEqual(['firing fired 1']);
  });

  test('that cannot be read leave the alert as it is until what was seen expires', () => {
    const { look } = scene({ forMs: 0, resolveAfterMs: 0 });
    expect(look(6)).toEqual(['firing fired 1']);
    expect([look(undefined), look(undefined)]).toEqual([[], []]);
    expect(look(undefined)).toEqual(['resolved 1']);
  });

  test('of many labels are bounded, the worst first, and those that fire stay', () => {
    const { look, book } = scene({ forMs: 0 });
    const many = (from: number, value: (at: number) => number): AlertSample[] =>
      Array.from({ length: 150 }, (_, at) => ({ labels: { of: String(from + at) }, value: value(at) }));
    look(many(0, (at) => 10 + at));
    expect(book().alerts).toHaveLength(100);
    expect(Math.min(...book().alerts.map(({ value }) => value))).toBe(60);
    look([...many(0, (at) => 10 + at), ...many(1_000, () => 1_000)]);
    expect(book().alerts.filter(({ status }) => status === 'firing')).toHaveLength(100);
    expect(book().alerts.filter(({ labels }) => Number(labels['of']) >= 1_000)).toEqual([]);
  });

  test('are told with the worst of all instances', () => {
    const { look, book } = scene({ forMs: 0 });
    look(6, 'a');
    look(9, 'b');
    expect(book().alerts).toMatchObject([{ value: 9 }]);
    look(7, 'a');
    expect(book().alerts).toMatchObject([{ value: 9 }]);
  });
});

describe('groups', () => {
  const of = (...values: number[]): AlertSample[] => values.map((value, at) => ({ labels: { of: String(at) }, value }));

  test('what fires at the same look is told as one, what joins later at once, and the end when all is over', () => {
    const { look } = scene({ forMs: 0, resolveAfterMs: 0 });
    expect(look(of(6, 6, 0))).toEqual(['firing fired 2']);
    expect(look(of(6, 6, 6))).toEqual(['firing joined 3']);
    expect(look(of(0, 0, 6))).toEqual([]);
    expect(look(of(0, 0, 0))).toEqual(['resolved 3']);
  });

  test('labels that the rule groups by are told apart', () => {
    const { look } = scene({ forMs: 0, resolveAfterMs: 0, groupBy: ['of'] });
    expect(look(of(6, 6, 0))).toEqual(['firing fired 1', 'firing fired 1']);
    expect(look(of(0, 6, 0))).toEqual(['resolved 1']);
  });
});

describe('repeating', () => {
  test('what goes on is told again after the interval, and not once it is acknowledged', () => {
    const { look, book, acknowledge } = scene({ forMs: 0 }, 120_000);
    expect([look(6), look(6), look(6), look(6), look(6)]).toEqual([['firing fired 1'], [], [], [], ['firing repeated 1']]);
    const { id } = book().alerts[0]!;
    expect(acknowledge(id)).toEqual(['acknowledged']);
    expect(acknowledge(id)).toEqual([]);
    expect(book().alerts[0]!.acknowledged).toEqual({ atMs: startMs + 150_000, by: 'key-1', note: null });
    expect([look(6), look(6), look(6), look(6), look(6)].flat()).toEqual([]);
    expect([look(0), look(0), look(0)].flat()).toEqual(['resolved 1']);
    expect(acknowledge(id)).toBeUndefined();
    expect(acknowledge('nothing')).toBeUndefined();
  });
});

describe('silences', () => {
  test('keep what fires from being told until they end, and not the end of what was told', () => {
    const quiet = scene({ forMs: 0, resolveAfterMs: 0 });
    quiet.silence({});
    expect([quiet.look(6), quiet.look(6)]).toEqual([[], []]);
    expect(quiet.book().alerts).toMatchObject([{ status: 'firing' }]);
    quiet.silence({ endsMs: 0 });
    expect(quiet.look(6)).toEqual(['firing fired 1']);
    quiet.silence({});
    expect(quiet.look(0)).toEqual(['resolved 1']);
  });

  test('of alerts that came and went unheard nothing is told at all', () => {
    const { look, silence } = scene({ forMs: 0, resolveAfterMs: 0 });
    silence({});
    expect([look(6), look(0), look(0)].flat()).toEqual([]);
  });

  test.each([
    ['another rule', [{ label: 'rule', value: 'latency' }], true],
    ['no matcher at all', [], true],
    [
      'one of two matchers',
      [
        { label: 'rule', value: 'errors' },
        { label: 'of', value: '1' },
      ],
      true,
    ],
    ['a label that it does not have', [{ label: 'toString', value: '*' }], true],
    ['its severity', [{ label: 'severity', value: 'warning' }], false],
    ['the beginning of a label', [{ label: 'model', value: 'gpt-*' }], false],
    ['another beginning', [{ label: 'model', value: 'claude-*' }], true],
  ])('by %s', (_what, matchers, told) => {
    const { look, silence } = scene({ forMs: 0 });
    silence({ matchers });
    expect(look([{ labels: { model: 'gpt-4o' }, value: 6 }])).toEqual(told ? ['firing fired 1'] : []);
  });
});

test('a rule that is gone from the configuration resolves its alerts', () => {
  const { look, book } = scene({ forMs: 0, resolveAfterMs: 0 });
  look(6);
  const terms = { nowMs: startMs + 600_000, rules: new Map(), repeatMs: 1e9, deployment: 'test', createId: () => 'x', routes: [] };
  const { changes } = evaluate(book(), terms, { samples: new Map(), instance: 'a', ttlMs: 75_000 });
  expect(changes.alerts).toMatchObject([{ status: 'resolved' }]);
  expect(changes.deliveries).toMatchObject([{ channel: 'slack', notification: { kind: 'resolved', rule: 'errors' } }]);
});

test('faulty rules are refused with all of their faults', () => {
  const faulty = {
    name: 'No Name',
    metric: '',
    threshold: Number.NaN,
    summary: '',
    forMs: -1,
    resolveThreshold: 9,
    severity: 'fatal',
    groupBy: ['a b'],
  };
  expect(() => defineAlertRule(faulty as unknown as AlertRuleOptions)).toThrow(
    /name must.*metric must.*threshold must.*forMs must.*severity must.*label/s,
  );
  expect(() => defineAlertRule({ name: 'r', metric: 'm', summary: '', threshold: 1, resolveThreshold: 2 })).toThrow(/bad side/);
});

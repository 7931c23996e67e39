import fc from 'fast-check';
import {
  applyChanges,
  defineAlertRule,
  emptyAlertBook,
  evaluate,
  type AlertBook,
  type AlertDelivery,
  type AlertRoute,
  type AlertRule,
  type AlertSample,
  type AlertSilence,
  type AlertUpdate,
} from '@holdfast/kit/alerts';

/** What one instance sees at one look: the bad label values of each rule. */
export interface Look {
  readonly instance: 'a' | 'b' | 'c';
  readonly afterMs: number;
  readonly bad: readonly (readonly [rule: number, label: number])[];
  readonly silence: boolean;
}

export const rules: readonly AlertRule[] = [
  defineAlertRule({ name: 'together', metric: 'm0', threshold: 1, summary: 'All in one group.', forMs: 60_000, severity: 'critical' }),
  defineAlertRule({ name: 'apart', metric: 'm1', threshold: 1, summary: 'Each for itself.', forMs: 0, groupBy: ['of'] }),
  defineAlertRule({ name: 'slow', metric: 'm2', threshold: 1, summary: 'After long.', forMs: 300_000, resolveAfterMs: 120_000 }),
];
export const rulesByName = new Map(rules.map((rule) => [rule.name, rule]));

export const routes: readonly AlertRoute[] = [
  { channel: 'all', minSeverity: 'info', tells: ['firing', 'resolved', 'acknowledged'] },
  { channel: 'pager', minSeverity: 'critical', tells: ['firing', 'resolved', 'acknowledged'] },
];

export const looks: fc.Arbitrary<readonly Look[]> = fc.array(
  fc.record({
    instance: fc.constantFrom('a', 'b', 'c'),
    afterMs: fc.constantFrom(1_000, 10_000, 30_000, 30_000, 90_000),
    bad: fc.array(fc.tuple(fc.nat(2), fc.nat(1)), { maxLength: 4 }),
    silence: fc.boolean(),
  }),
  { maxLength: 60 },
);

export const startMs = Date.UTC(2026, 0, 1);
export const ttlMs = 75_000;
export const repeatMs = 1_800_000;

/** Each rule of the tests has its own values: 2 where it is bad, and 0 elsewhere. */
export function samplesOf({ bad }: Pick<Look, 'bad'>): ReadonlyMap<string, readonly AlertSample[]> {
  return new Map(
    rules.map(({ name }, rule) => [
      name,
      [0, 1].map((of) => ({ labels: { of: String(of) }, value: bad.some(([r, o]) => r === rule && o === of) ? 2 : 0 })),
    ]),
  );
}

export interface Step {
  readonly nowMs: number;
  readonly before: AlertBook;
  readonly after: AlertBook;
  readonly update: AlertUpdate;
  readonly look: Look;
}

const silence: AlertSilence = {
  id: 'silence',
  matchers: [{ label: 'of', value: '0' }],
  startsMs: 0,
  endsMs: Number.MAX_SAFE_INTEGER,
  by: null,
  reason: '',
};

/** Plays the looks; `between` may put another book, made of the one before, in its place. */
export function play(given: readonly Look[], between: (book: AlertBook, at: number) => AlertBook = (book) => book): readonly Step[] {
  let nowMs = startMs;
  let book = emptyAlertBook;
  let count = 0;
  return given.map((look, at) => {
    nowMs += look.afterMs;
    const before = { ...between(book, at), silences: look.silence ? [silence] : [] };
    const terms = {
      nowMs,
      rules: rulesByName,
      routes,
      repeatMs,
      deployment: 'test',
      createId: () => `id-${String(count++).padStart(6, '0')}`,
    };
    const update = evaluate(before, terms, { samples: samplesOf(look), instance: look.instance, ttlMs });
    book = applyChanges(before, update.changes, nowMs);
    return { nowMs, before, after: book, update, look };
  });
}

export function deliveriesOf(steps: readonly Step[]): readonly AlertDelivery[] {
  return steps.flatMap(({ update }) => update.changes.deliveries);
}

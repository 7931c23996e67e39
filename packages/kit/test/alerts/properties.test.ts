import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChanges, emptyAlertBook, flapWindowMs, reunite } from '@holdfast/kit/alerts';
import { deliveriesOf, looks, play, rulesByName, startMs, type Look } from './scenario.ts';

const runs = { numRuns: 100 };

test('nothing is told without an alert that fires, and no alert fires that was not seen for its whole time', () => {
  fc.assert(
    fc.property(looks, (given) => {
      const steps = play(given);
      const seenSince = new Map<string, number>();
      for (const { nowMs, after, update } of steps) {
        const seen = new Set(after.observations.map(({ fingerprint }) => fingerprint));
        for (const fingerprint of seenSince.keys()) if (!seen.has(fingerprint)) seenSince.delete(fingerprint);
        for (const fingerprint of seen) if (!seenSince.has(fingerprint)) seenSince.set(fingerprint, nowMs);
        for (const { change, alert } of update.transitions) {
          if (change !== 'fired') continue;
          expect(nowMs - seenSince.get(alert.fingerprint)!).toBeGreaterThanOrEqual(rulesByName.get(alert.rule)!.forMs);
        }
        for (const { notification } of update.changes.deliveries) {
          if (notification.kind !== 'firing') continue;
          expect(notification.alerts.length).toBeGreaterThan(0);
          for (const told of notification.alerts)
            expect(after.alerts.find(({ id }) => id === told.id)).toMatchObject({ status: 'firing', firedMs: told.firedMs });
        }
      }
    }),
    runs,
  );
});

test('each look tells at most one thing of a group, and of an alert that is new only once', () => {
  fc.assert(
    fc.property(looks, (given) => {
      const newlyTold = new Set<string>();
      for (const { update } of play(given)) {
        const lines = update.changes.deliveries.map(({ channel, groupKey }) => `${channel} ${groupKey}`);
        expect(new Set(lines).size).toBe(lines.length);
        for (const { channel, notification } of update.changes.deliveries) {
          if (notification.cause !== 'fired' && notification.cause !== 'joined') continue;
          const fresh = notification.alerts.filter(({ id }) => !newlyTold.has(`${channel} ${id}`));
          expect(fresh.length).toBeGreaterThan(0);
          for (const { id } of fresh) newlyTold.add(`${channel} ${id}`);
        }
      }
    }),
    runs,
  );
});

test('an end follows a beginning that was told, on each channel, and a beginning is told again only after an end', () => {
  fc.assert(
    fc.property(looks, (given) => {
      const open = new Set<string>();
      for (const { channel, groupKey, notification } of deliveriesOf(play(given))) {
        const line = `${channel} ${groupKey}`;
        if (notification.kind === 'resolved') expect(open.delete(line)).toBe(true);
        else if (notification.cause === 'fired') {
          expect(open.has(line)).toBe(false);
          open.add(line);
        } else expect(open.has(line)).toBe(true);
      }
    }),
    runs,
  );
});

test('what was told is told to be over once nobody sees it any more, silenced or not', () => {
  fc.assert(
    fc.property(looks, (given) => {
      // Longer than any wait for the end, with looks in between.
      const quiet: Look[] = Array.from({ length: 70 }, () => ({ instance: 'a', afterMs: 30_000, bad: [], silence: true }));
      const steps = play([...given, ...quiet]);
      const open = new Set<string>();
      for (const { channel, groupKey, notification } of deliveriesOf(steps)) {
        if (notification.kind === 'resolved') open.delete(`${channel} ${groupKey}`);
        else open.add(`${channel} ${groupKey}`);
      }
      expect([...open]).toEqual([]);
      const { alerts, groups, observations } = steps.at(-1)!.after;
      expect(alerts.filter(({ status }) => status !== 'resolved')).toEqual([]);
      expect([groups, observations]).toEqual([[], []]);
    }),
    { numRuns: 40 },
  );
});

test('a restart at any step changes nothing: the book is all that is remembered', () => {
  fc.assert(
    fc.property(looks, fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (given, restarts) => {
      const through = play(given);
      const restarted = play(given, (book, at) => (restarts[at] ? (JSON.parse(JSON.stringify(book)) as typeof book) : book));
      expect(deliveriesOf(restarted)).toEqual(deliveriesOf(through));
      expect(restarted.at(-1)?.after).toEqual(through.at(-1)?.after);
    }),
    runs,
  );
});

test('several instances that see the same tell what one would tell', () => {
  fc.assert(
    fc.property(looks, (given) => {
      const alone = given.map((look): Look => ({ ...look, instance: 'a', silence: false }));
      // The others look at the same moment, and see the same.
      const together = alone.flatMap((look): Look[] => [
        look,
        { ...look, instance: 'b', afterMs: 0 },
        { ...look, instance: 'c', afterMs: 0 },
      ]);
      const told = (all: readonly Look[]) =>
        deliveriesOf(play(all)).map(({ channel, groupKey, createdMs, notification: { kind, cause } }) => ({
          channel,
          groupKey,
          createdMs,
          kind,
          cause,
        }));
      const once = told(alone);
      // What one forgets at its look another still sees until its own, in the same moment: the end is told then.
      expect(told(together)).toEqual(once);
    }),
    runs,
  );
});

test('an instance that dies leaves no alert firing for ever', () => {
  const dead: Look = { instance: 'b', afterMs: 30_000, bad: [[1, 0]], silence: false };
  const steps = play([dead, ...Array.from({ length: 6 }, (): Look => ({ instance: 'a', afterMs: 30_000, bad: [], silence: false }))]);
  expect(deliveriesOf(steps).map(({ notification }) => notification.kind)).toEqual(['firing', 'resolved']);
  const [fired, resolved] = deliveriesOf(steps);
  // Not at once either: until what it saw expires, the others cannot know that it died.
  expect(resolved!.createdMs - fired!.createdMs).toBe(150_000);
});

test('whatever goes on and off fires at most seven times in any hour', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 240, maxLength: 480 }), (pattern) => {
      const steps = play(pattern.map((bad): Look => ({ instance: 'a', afterMs: 30_000, bad: bad ? [[1, 0]] : [], silence: false })));
      const fired = steps.flatMap(({ nowMs, update }) => (update.transitions.some(({ change }) => change === 'fired') ? [nowMs] : []));
      for (const at of fired) expect(fired.filter((other) => other >= at && other < at + flapWindowMs).length).toBeLessThanOrEqual(7);
    }),
    { numRuns: 15 },
  );
  // As bad as it can be: on for a moment whenever it could be over.
  const steps = play(
    Array.from({ length: 1_440 }, (_, at): Look => ({ instance: 'a', afterMs: 30_000, bad: at % 4 === 0 ? [[1, 0]] : [], silence: false })),
  );
  const fired = steps.filter(({ update }) => update.transitions.some(({ change }) => change === 'fired'));
  expect(fired.length).toBeGreaterThan(3);
  expect(fired.length).toBeLessThan(40);
});

test('an instance that cannot reach the store for a while tells what it would have told, and leaves there what it would have left', () => {
  const looksOfOne = looks.map((given) => given.map((look): Look => ({ ...look, instance: 'a', silence: false })));
  fc.assert(
    fc.property(looksOfOne, fc.array(fc.boolean(), { minLength: 61, maxLength: 61 }), (given, away) => {
      const quiet: Look[] = Array.from({ length: 70 }, () => ({ instance: 'a', afterMs: 30_000, bad: [], silence: false }));
      // In one moment the groups have no order.
      const told = (steps: ReturnType<typeof play>) =>
        deliveriesOf(steps)
          .map(({ channel, groupKey, createdMs, notification: { kind, cause } }) => `${createdMs} ${groupKey} ${channel} ${kind} ${cause}`)
          .toSorted();
      const all = [...given, ...quiet];
      let shared = emptyAlertBook;
      let wasAway = false;
      const steps = play(all, (own, at) => {
        const isAway = away[at] ?? false;
        // What it knows by itself goes on from what it knew; the shared book hears of it when it can be reached again.
        if (wasAway && !isAway) shared = applyChanges(shared, reunite(shared, { instance: 'a', book: own, pending: [] }), startMs);
        if (!wasAway) shared = own;
        const book = isAway || !wasAway ? own : shared;
        wasAway = isAway;
        return book;
      });
      expect(told(steps)).toEqual(told(play(all)));
      const { alerts, groups } = steps.at(-1)!.after;
      expect([alerts.filter(({ status }) => status !== 'resolved'), groups]).toEqual([[], []]);
    }),
    { numRuns: 60 },
  );
});

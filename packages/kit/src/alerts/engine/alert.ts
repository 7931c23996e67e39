import type { AlertLabels, AlertSeverity, AlertUnit } from '../rules/index.ts';

/** `pending`: the condition holds, not yet for long enough. An alert that was never more than that leaves nothing behind. */
export type AlertStatus = 'pending' | 'firing' | 'resolved';

/** One time that a condition held, from its beginning to its end. All times are Unix milliseconds. */
export interface Alert {
  /** UUIDv7. The next time the same condition holds is another alert of the same fingerprint. */
  readonly id: string;
  /** Of rule and labels. */
  readonly fingerprint: string;
  readonly rule: string;
  readonly labels: AlertLabels;
  readonly severity: AlertSeverity;
  readonly unit: AlertUnit;
  /** Which alerts it is told together with. */
  readonly groupKey: string;
  readonly status: AlertStatus;
  /** Since when the condition holds. */
  readonly sinceMs: number;
  readonly firedMs: number | null;
  readonly resolvedMs: number | null;
  /** It fires and the condition has not held since then. */
  readonly clearMs: number | null;
  readonly resolveAfterMs: number;
  /** The last bad value, of the instance where it was worst. */
  readonly value: number;
  readonly threshold: number;
  readonly bad: 'above' | 'below';
  readonly acknowledged: AlertAcknowledgement | null;
}

export interface AlertAcknowledgement {
  readonly atMs: number;
  /** The id of a key, or what a user of the kit gives. */
  readonly by: string | null;
  readonly note: string | null;
}

/** An instance sees the condition of an alert hold. Good until it expires, so that one that died does not see it for ever. */
export interface AlertObservation {
  readonly fingerprint: string;
  readonly instance: string;
  readonly rule: string;
  readonly labels: AlertLabels;
  readonly value: number;
  readonly expiresMs: number;
}

/** What was told of a group of alerts. There is one while something was told that is not over. */
export interface AlertGroup {
  readonly key: string;
  readonly rule: string;
  /** Ids of the alerts that were told as firing. */
  readonly told: readonly string[];
  readonly toldMs: number;
  /** Channels that were told, and have to hear of the end. */
  readonly channels: readonly string[];
}

/** Keeps alerts from being told. Those that it matches fire all the same. */
export interface AlertSilence {
  readonly id: string;
  readonly matchers: readonly AlertMatcher[];
  readonly startsMs: number;
  readonly endsMs: number;
  readonly by: string | null;
  readonly reason: string;
}

/** A label of an alert, `rule` and `severity` included, and what it has to be; `*` at the end stands for any rest. */
export interface AlertMatcher {
  readonly label: string;
  readonly value: string;
}

/** All that the engine decides by. */
export interface AlertBook {
  /** Open ones, and those that were resolved within the last `flapWindowMs`. */
  readonly alerts: readonly Alert[];
  readonly observations: readonly AlertObservation[];
  readonly groups: readonly AlertGroup[];
  /** Those that have not ended. */
  readonly silences: readonly AlertSilence[];
}

export const emptyAlertBook: AlertBook = Object.freeze({ alerts: [], observations: [], groups: [], silences: [] });

/** What an update writes, all of it or nothing. What is there already is replaced. */
export interface AlertChanges {
  readonly alerts: readonly Alert[];
  /** Ids of alerts that never fired. */
  readonly forgottenAlerts: readonly string[];
  readonly observations: readonly AlertObservation[];
  readonly forgottenObservations: readonly Pick<AlertObservation, 'fingerprint' | 'instance'>[];
  readonly groups: readonly AlertGroup[];
  /** Keys of groups of which nothing is open. */
  readonly closedGroups: readonly string[];
  readonly silences: readonly AlertSilence[];
  readonly deliveries: readonly AlertDelivery[];
}

export const noAlertChanges: AlertChanges = Object.freeze({
  alerts: [],
  forgottenAlerts: [],
  observations: [],
  forgottenObservations: [],
  groups: [],
  closedGroups: [],
  silences: [],
  deliveries: [],
});

export type AlertNotificationKind = 'firing' | 'resolved' | 'acknowledged' | 'test';

/** What a channel tells, once a group. */
export interface AlertNotification {
  readonly kind: AlertNotificationKind;
  /** Only when it is `firing`: what is new, or that nothing is. */
  readonly cause: 'fired' | 'joined' | 'repeated' | null;
  readonly rule: string;
  /**
   * Names the group from the first word to the last, PagerDuty's `dedup_key`: the same on every instance, so that those that cannot reach
   * the database they share tell one incident, and another for each deployment.
   */
  readonly dedupKey: string;
  /** Which installation it is about: `production`. */
  readonly deployment: string;
  readonly severity: AlertSeverity;
  readonly atMs: number;
  readonly summary: string;
  readonly action: string;
  readonly look: readonly string[];
  /** The worst 20 of those that the group has; of a resolved one those that were told. */
  readonly alerts: readonly Alert[];
  /** How many there are in all. */
  readonly count: number;
}

/** A notification on its way through one channel. */
export interface AlertDelivery {
  /** UUIDv7: what a receiver knows a repetition by. */
  readonly id: string;
  readonly channel: string;
  readonly groupKey: string;
  readonly notification: AlertNotification;
  readonly status: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly createdMs: number;
  readonly nextTryMs: number;
  readonly finishedMs: number | null;
  /** A code of the error table, and never an answer of the receiver. */
  readonly lastError: string | null;
}

/** How often the same condition was a firing alert in this time makes its next end slower. */
export const flapWindowMs = 3_600_000;
/** And never slower than this. */
export const maxResolveAfterMs = 1_800_000;
/** Alerts that one rule may have open: beyond it the least bad are not looked at. */
export const maxAlertsOfRule = 100;
/** Alerts that one notification lists. */
export const maxAlertsTold = 20;

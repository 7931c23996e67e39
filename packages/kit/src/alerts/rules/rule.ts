/** How bad it is, from the least to the worst. Nobody is woken for a `warning`. */
export const alertSeverities = ['info', 'warning', 'critical'] as const;
export type AlertSeverity = (typeof alertSeverities)[number];

/** What the numbers of a rule are, for the text of its alerts. */
export const alertUnits = ['seconds', 'ratio', 'count', 'usd', 'days', 'flag'] as const;
export type AlertUnit = (typeof alertUnits)[number];

/** Names what a measured value is of: `{ model: 'fast' }`. Few and short: each set of values is an alert of its own. */
export type AlertLabels = Readonly<Record<string, string>>;

/** One measured value. */
export interface AlertSample {
  readonly labels: AlertLabels;
  readonly value: number;
  /** Out of how many observations it was made. Default: as many as any rule asks for. */
  readonly count?: number;
}

/** A condition on a measured value, and what is told when it holds. */
export interface AlertRule {
  /** `api-latency`; in the identity of its alerts, so that another name is another alert. */
  readonly name: string;
  /** What is measured, by the name that the reader knows. */
  readonly metric: string;
  /** The time that a value is made of, in milliseconds. */
  readonly windowMs: number;
  /** Which side of the threshold is bad. */
  readonly bad: 'above' | 'below';
  readonly threshold: number;
  /** The other end of the hysteresis: an alert that fires is over when its value is on this side of it. Default: the threshold. */
  readonly resolveThreshold: number;
  /** The condition has to hold for so long, in milliseconds; 0 fires with the first look. */
  readonly forMs: number;
  /** And to be over for so long before the alert is resolved; longer each time while the alert flaps. */
  readonly resolveAfterMs: number;
  /** A value out of fewer observations is not judged: one failure of two requests is no error rate. */
  readonly minCount: number;
  readonly severity: AlertSeverity;
  /** Added to those of the value, which win. */
  readonly labels: AlertLabels;
  /** Only values with all of these labels are judged. */
  readonly where: AlertLabels;
  /** Alerts of the rule that are alike in these labels are told together, as one; by default all of them. */
  readonly groupBy: readonly string[];
  readonly unit: AlertUnit;
  /** What is wrong, in one sentence without the numbers. */
  readonly summary: string;
  /** What to do, for somebody who was asleep a minute ago. */
  readonly action: string;
  /** Where to look: paths of the API and pages of the guide, one a line. */
  readonly look: readonly string[];
}

import type { Field } from '../fields.ts';
import { choice, decimal, integer, listOf, text } from '../value-types.ts';
import { alertMetricNames, type AlertMetricName } from './alert-metrics.ts';
import { severities } from './channel-fields.ts';
import { ruleDefaults } from './default-rules.ts';

const number = decimal(-1e15, 1e15);
const duration = integer(0, 2_678_400_000);
const words = text('a text of one line, up to 500 characters', /^[^\p{Cc}]{1,500}$/u);
const label = text('the name of a label', /^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/);

/** What a rule may say of itself; of a rule that comes with the package only what differs. */
export const ruleFields = {
  metric: {
    type: choice(alertMetricNames),
    defaultText: 'that of the rule of this name; otherwise required',
    description: 'What is measured; see the metrics below.',
  } as Field<AlertMetricName>,
  above: { type: number, defaultText: 'required, or `below`', description: 'It is bad above this.' },
  below: { type: number, defaultText: 'required, or `above`', description: 'It is bad below this.' },
  resolveAt: {
    type: number,
    defaultText: 'the threshold',
    description: 'An alert that fires is over on this side of it: the other end of the hysteresis.',
  },
  windowMs: {
    type: integer(30_000, 2_678_400_000),
    defaultText: `${ruleDefaults.windowMs}`,
    description: 'The time that a value is made of, in milliseconds; up to an hour, and 31 days for spending.',
  },
  forMs: {
    type: duration,
    defaultText: `${ruleDefaults.forMs}`,
    description: 'How long it has to be bad, in milliseconds, before the alert fires. `0`: at the first look.',
  },
  resolveAfterMs: {
    type: duration,
    defaultText: `${ruleDefaults.resolveAfterMs}`,
    description: 'How long it has to be over before the alert is resolved; twice as long for each time that it fired in the last hour.',
  },
  minCount: {
    type: integer(0, 1_000_000_000),
    defaultText: `${ruleDefaults.minCount}`,
    description: 'A value out of fewer observations is not judged.',
  },
  severity: { type: choice(severities), defaultText: `\`${ruleDefaults.severity}\``, description: 'How bad it is.' },
  groupBy: {
    type: listOf(label, 'a list of names of labels'),
    defaultText: 'all alerts of the rule together',
    description: 'Alerts that are alike in these labels are told together.',
  },
  summary: { type: words, defaultText: 'required', description: 'What is wrong, in one sentence.' },
  action: { type: words, defaultText: 'none', description: 'What to do, for somebody who was asleep a minute ago.' },
} as const;

/** Maps of labels, beside them. */
export const ruleMaps = {
  where: 'Only values with these labels are looked at: `where: { model: fast }`.',
  labels: 'Labels that are added to those of the value, for silences and those who are told: `labels: { team: search }`.',
} as const;

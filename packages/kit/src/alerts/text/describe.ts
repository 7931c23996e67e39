import type { Alert, AlertNotification } from '../engine/index.ts';
import { formatDuration, formatMoment, formatValue } from './format-value.ts';

/** A notification in words, for channels to lay out. Plain text: a channel escapes it for its own markup. */
export interface AlertText {
  /** One line: `[FIRING] critical: Requests fail (production)`. */
  readonly title: string;
  /** What and where: each with the name of what it answers. */
  readonly sections: readonly AlertTextSection[];
  /** Title and sections as plain text. */
  readonly plain: string;
}

export interface AlertTextSection {
  readonly heading: 'What' | 'Since' | 'How bad' | 'Where to look' | 'What to do' | 'By';
  readonly lines: readonly string[];
}

export interface DescribeOptions {
  /** Goes over every text, so that what is told holds no personal data. */
  readonly mask?: (text: string) => string;
}

const titles = { firing: 'FIRING', resolved: 'RESOLVED', acknowledged: 'ACKNOWLEDGED', test: 'TEST' } as const;

/** What somebody needs to know who was asleep a minute ago: what, since when, how bad, where to look, what to do. */
export function describeNotification(notification: AlertNotification, { mask = (text) => text }: DescribeOptions = {}): AlertText {
  const { kind, severity, summary, rule, deployment, alerts, count } = notification;
  const more = kind === 'firing' && count > 1 ? ` (${count} alerts)` : '';
  const mark = kind === 'firing' && notification.cause === 'repeated' ? 'STILL FIRING' : titles[kind];
  const title = `[${mark}] ${severity}: ${summary || rule}${more} [${deployment}]`;
  const sections = [...sectionsOf(notification)].filter(({ lines }) => lines.length > 0);
  return {
    title: mask(oneLine(title)),
    sections: sections.map(({ heading, lines }) => ({ heading, lines: lines.map((line) => mask(oneLine(line))) })),
    plain: [
      mask(oneLine(title)),
      ...sections.flatMap(({ heading, lines }) => ['', `${heading}:`, ...lines.map((line) => `  ${mask(oneLine(line))}`)]),
    ].join('\n'),
  };

  function* sectionsOf({ action, look, atMs }: AlertNotification): Iterable<AlertTextSection> {
    yield { heading: 'What', lines: [...(summary === '' ? [] : [summary]), ...(alerts.length === 0 ? [`rule ${rule}`] : [])] };
    if (kind === 'acknowledged') {
      const note = alerts[0]?.acknowledged;
      yield { heading: 'By', lines: note ? [[note.by ?? 'somebody', note.note].filter(Boolean).join(': ')] : [] };
    }
    const since = Math.min(...alerts.map(({ sinceMs }) => sinceMs));
    if (alerts.length > 0)
      yield {
        heading: 'Since',
        lines: [`${formatMoment(since)}, ${kind === 'resolved' ? 'for' : 'so for'} ${formatDuration(endOf(alerts, atMs) - since)}`],
      };
    const lines = alerts.map((alert) => describeAlert(alert));
    if (count > alerts.length) lines.push(`and ${count - alerts.length} more`);
    yield { heading: 'How bad', lines };
    yield { heading: 'Where to look', lines: look };
    if (kind !== 'resolved') yield { heading: 'What to do', lines: action === '' ? [] : [action] };
  }
}

/** `12 % (above 5 %) model=fast`; of one that says yes or no its labels alone. */
export function describeAlert({ value, threshold, bad, unit, labels, rule }: Alert): string {
  const names = Object.entries(labels)
    .map(([name, text]) => `${name}=${text}`)
    .join(', ');
  if (unit === 'flag') return names || rule;
  return `${formatValue(value, unit)} (${bad} ${formatValue(threshold, unit)})${names === '' ? '' : ` ${names}`}`;
}

function endOf(alerts: readonly Alert[], atMs: number): number {
  const ends = alerts.map(({ clearMs, resolvedMs }) => (resolvedMs === null ? atMs : (clearMs ?? resolvedMs)));
  return Math.max(...ends);
}

/** No text of a label makes a line of its own, which could pass for one of ours. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

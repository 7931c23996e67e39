import type { Alert, AlertMatcher, AlertSilence } from './alert.ts';

/** Whether the alert is kept quiet at this moment. */
export function isSilenced(alert: Alert, silences: readonly AlertSilence[], nowMs: number): boolean {
  return silences.some(({ matchers, startsMs, endsMs }) => startsMs <= nowMs && nowMs < endsMs && matchesAll(alert, matchers));
}

/** One without matchers matches nothing: it would silence everything, which nobody means by saying nothing. */
function matchesAll(alert: Alert, matchers: readonly AlertMatcher[]): boolean {
  return matchers.length > 0 && matchers.every(({ label, value }) => matchesText(labelOf(alert, label), value));
}

function labelOf(alert: Alert, label: string): string | undefined {
  if (label === 'rule') return alert.rule;
  if (label === 'severity') return alert.severity;
  return Object.hasOwn(alert.labels, label) ? alert.labels[label] : undefined;
}

function matchesText(text: string | undefined, pattern: string): boolean {
  if (text === undefined) return false;
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

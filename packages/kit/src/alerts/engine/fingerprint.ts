import { createHash } from 'node:crypto';
import type { AlertLabels, AlertRule } from '../rules/index.ts';

/** 128 bits of SHA-256 over rule and labels, in hex: the same on every instance, and the same after a restart. */
export function alertFingerprint(rule: string, labels: AlertLabels): string {
  return digest(['alert', rule, ...sortedPairs(labels)]);
}

/** Of the labels that the rule groups by. */
export function alertGroupKey({ name, groupBy }: Pick<AlertRule, 'name' | 'groupBy'>, labels: AlertLabels): string {
  const chosen = Object.fromEntries(groupBy.filter((label) => labels[label] !== undefined).map((label) => [label, labels[label]!]));
  return digest(['group', name, ...sortedPairs(chosen)]);
}

function sortedPairs(labels: AlertLabels): string[] {
  return Object.keys(labels)
    .sort()
    .flatMap((name) => [name, labels[name]!]);
}

/** As JSON, so that no two lists of words are the same text. */
function digest(words: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 32);
}

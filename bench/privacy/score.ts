import { findSensitive, sensitiveTypes, type Finding, type SensitiveType } from '@holdfast/kit/privacy';
import type { Label, LabelledText } from './corpus.ts';

export interface Score {
  readonly type: SensitiveType;
  readonly labels: number;
  readonly found: number;
  readonly falseFindings: number;
  readonly precision: number;
  readonly recall: number;
  /** Of what was found, the share with exactly the labelled span. */
  readonly exact: number;
  /** Of the labels, the share that is covered whole by findings of any type: what matters for a log. */
  readonly covered: number;
}

/** Found is what has the label's type and at least half of its characters; a finding that overlaps no label of its type is false. */
export function score(corpus: readonly LabelledText[], find: (text: string) => readonly Finding[] = findSensitive): Score[] {
  const tally = new Map(sensitiveTypes.map((type) => [type, { labels: 0, found: 0, false: 0, exact: 0, covered: 0 }]));
  for (const { text, labels } of corpus) {
    const findings = find(text);
    for (const label of labels) {
      const count = tally.get(label.type)!;
      count.labels++;
      const hit = findings.find((finding) => finding.type === label.type && overlap(finding, label) * 2 >= label.end - label.start);
      if (hit) count.found++;
      if (hit && hit.start === label.start && hit.end === label.end) count.exact++;
      if (findings.reduce((total, finding) => total + overlap(finding, label), 0) === label.end - label.start) count.covered++;
    }
    for (const finding of findings)
      if (!labels.some((label) => label.type === finding.type && overlap(finding, label) > 0)) tally.get(finding.type)!.false++;
  }
  return [...tally].map(([type, count]) => ({
    type,
    labels: count.labels,
    found: count.found,
    falseFindings: count.false,
    precision: count.found / Math.max(1, count.found + count.false),
    recall: count.found / Math.max(1, count.labels),
    exact: count.exact / Math.max(1, count.found),
    covered: count.covered / Math.max(1, count.labels),
  }));
}

function overlap(one: Pick<Label, 'start' | 'end'>, other: Pick<Label, 'start' | 'end'>): number {
  return Math.max(0, Math.min(one.end, other.end) - Math.max(one.start, other.start));
}

import { findingTable, type FindingCode, type FindingRow } from './finding-table.ts';

/** Numbers, words and short lists that show why: never a secret, a prompt or a person. */
export type Evidence = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** Something that an operator should know, and what to do about it. */
export interface Finding extends FindingRow {
  readonly code: FindingCode;
  readonly evidence: Evidence;
}

export function findingOf(code: FindingCode, evidence: Evidence = {}): Finding {
  return { code, ...findingTable[code], evidence };
}

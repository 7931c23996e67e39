/**
 * What becomes of a field in a call that crosses dialects:
 * - `carried`: it has a counterpart and arrives there;
 * - `dropped`: it has none, and the answer means the same without it;
 * - `refused`: it has none and matters, so that the call ends with `dialect_unsupported` before anything is sent.
 */
export type Fate = 'carried' | 'dropped' | 'refused';

export interface FieldRow {
  /** Name of a top-level member, or a path below one (`messages[].name`). */
  readonly field: string;
  readonly fate: Fate;
  /** Where it goes, why it may be dropped, or what to do instead. Markdown: it is the text of the guide. */
  readonly note: string;
  /** Of a refused field: values that ask for nothing, and are dropped. */
  readonly neutral?: (value: unknown) => boolean;
}

export interface FieldTable {
  /** Top-level members of the request. A member that is not here is refused. */
  readonly members: readonly FieldRow[];
  /** Fields below the top level whose fate is not plain from their member's row. */
  readonly nested: readonly FieldRow[];
  /** What the provider's answer says. */
  readonly answer: readonly FieldRow[];
}

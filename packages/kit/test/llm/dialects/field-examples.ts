import type { Body } from './translate.ts';

/** One use of a field, to see that the table tells the truth about it. */
export interface FieldExample {
  /** The request with the field. */
  readonly body: Body;
  /** The same request without it. */
  readonly without: Body;
  /** For a refused field: how `details` names it. */
  readonly path?: string;
  /** For a carried field: where it arrives. */
  readonly arrives?: Body;
}

export interface AnswerExample {
  /** The provider's answer. */
  readonly answer: Body;
  /** What the client finds, for a carried field; for a dropped one, `sign` is nowhere in the client's answer. */
  readonly arrives?: Body;
}

/** A word that appears nowhere by itself. */
export const sign = 'zanzibar';

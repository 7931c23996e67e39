/** What an instance says of one slice, and asks for. Amounts in nano-dollars, times in Unix milliseconds. */
export interface SliceQuestion {
  readonly budgetId: string;
  readonly periodStartMs: number;
  /** Infinity where the window has no end. */
  readonly periodEndMs: number;
  /** Grows with each question about the slice: one that arrives after a newer one MUST change nothing. */
  readonly version: number;
  /** Calls that began before it are not counted. */
  readonly countedFromMs: number;
  readonly spentNano: number;
  readonly reservedNano: number;
  /** What the instance holds on to, with what is spent and reserved: it stays granted whatever the limit is. */
  readonly keepNano: number;
  /** What is needed beyond, or nothing. */
  readonly needNano: number;
  /** What would be useful beyond. */
  readonly wantNano: number;
  /** The slice ends with what is spent. */
  readonly closes: boolean;
}

export interface SliceAnswer {
  readonly budgetId: string;
  readonly periodStartMs: number;
  /**
   * `closed`: by this question, or by others who held the instance for dead. `gone`: the budget was deleted. `stale`: a newer question was answered.
   * `dead`: the instance has given no sign of life, so that nothing is granted to it.
   */
  readonly state: 'open' | 'closed' | 'gone' | 'stale' | 'dead';
  /** What the instance may spend in all. */
  readonly grantedNano: number;
  /** What nobody holds after it. */
  readonly freeNano: number;
  /** What other instances hold and, by what they said last, do not use. */
  readonly idleNano: number;
  readonly limitNano: number;
  /** By all instances, by what they said last. */
  readonly spentNano: number;
  /** A threshold in percent that is reached with this, told to one instance only. */
  readonly toldPercent: number | undefined;
}

/** Where slices are leased. The sum of what is closed and what is granted is at most the limit of a hard budget, whoever asks. */
export interface SliceStore {
  /** Answers in any order. Throws `database_unavailable`: whether it happened is unknown then, and a newer question finds out. */
  lease(instanceId: string, questions: readonly SliceQuestion[]): Promise<readonly SliceAnswer[]>;
}

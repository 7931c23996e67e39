/** How long each part of an attempt may take, in milliseconds. */
export interface AttemptLimits {
  /** Until a connection takes the request. Default 10,000. */
  readonly connectMs: number;
  /** From there until the first real event of a stream; comments, pings and empty openings do not count. Default 60,000. */
  readonly firstTokenMs: number;
  /** From there until a plain answer is whole. Default 600,000. */
  readonly answerMs: number;
  /** Longest silence within a stream; any byte, also a ping, ends it. Default 60,000. */
  readonly stallMs: number;
  /** The whole attempt. Default 600,000. */
  readonly totalMs: number;
}

export const attemptLimitDefaults: AttemptLimits = Object.freeze({
  connectMs: 10_000,
  firstTokenMs: 60_000,
  answerMs: 600_000,
  stallMs: 60_000,
  totalMs: 600_000,
});

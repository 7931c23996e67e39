/** A change that no test notices, and why that may stay so: nobody who calls the module can tell. */
export interface AcceptedSurvivor {
  /** Below packages/kit/src. */
  readonly file: string;
  /** The whole line on which the change begins, without the space around it. */
  readonly line: string;
  /** What stands there instead, with single spaces. Left out: whatever is changed on the line. */
  readonly changes?: readonly string[];
  readonly reason: string;
}

export const acceptedSurvivors: readonly AcceptedSurvivor[] = [];

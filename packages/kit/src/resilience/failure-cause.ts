/**
 * Why something failed, in the words on which policies decide:
 *
 * | cause | same target again | next target | breaker |
 * | --- | --- | --- | --- |
 * | `transient` | yes | yes | failure |
 * | `throttled`: the target said wait | yes | yes | failure |
 * | `slow`: silent, or too slow for what it was given | no | yes | failure |
 * | `unknown`: nobody can say | no | yes | failure |
 * | `credentials`: the target refuses ours, or they are exhausted | no | yes | neither |
 * | `unsuited`: it cannot serve this, another may | no | yes | alive |
 * | `permanent`: the request itself is at fault | no | no | alive |
 * | `refused`: by a policy of ours; the target saw nothing | no | yes | neither |
 * | `cancelled`: whoever asked has given up | no | no | neither |
 *
 * Alive is a success for a probe and nothing while the breaker is closed: a target that answers bad requests and fails
 * good ones must still open it.
 */
export type FailureCause =
  | 'transient'
  | 'throttled'
  | 'slow'
  | 'unknown'
  | 'credentials'
  | 'unsuited'
  | 'permanent'
  | 'refused'
  | 'cancelled';

export interface CauseTraits {
  readonly retriedOnSameTarget: boolean;
  readonly mayTryNextTarget: boolean;
  readonly breaker: 'failure' | 'alive' | 'neither';
}

export const causeTraits: Readonly<Record<FailureCause, CauseTraits>> = Object.freeze({
  transient: { retriedOnSameTarget: true, mayTryNextTarget: true, breaker: 'failure' },
  throttled: { retriedOnSameTarget: true, mayTryNextTarget: true, breaker: 'failure' },
  slow: { retriedOnSameTarget: false, mayTryNextTarget: true, breaker: 'failure' },
  unknown: { retriedOnSameTarget: false, mayTryNextTarget: true, breaker: 'failure' },
  credentials: { retriedOnSameTarget: false, mayTryNextTarget: true, breaker: 'neither' },
  unsuited: { retriedOnSameTarget: false, mayTryNextTarget: true, breaker: 'alive' },
  permanent: { retriedOnSameTarget: false, mayTryNextTarget: false, breaker: 'alive' },
  refused: { retriedOnSameTarget: false, mayTryNextTarget: true, breaker: 'neither' },
  cancelled: { retriedOnSameTarget: false, mayTryNextTarget: false, breaker: 'neither' },
});

/** Names the cause of whatever was thrown. It MUST NOT throw; wrap `classifyFailure` to change single answers. */
export type FailureClassifier = (error: unknown) => FailureCause;

import type { AttemptNext, AttemptRequest } from '@holdfast/kit/llm';
import type { AttemptJournal } from './attempt-journal.ts';
import type { Principal } from './principal.ts';
import type { LatencyObserver } from './routing/index.ts';

/** One try at one target, which knows whose it is: the layers hand it down to the one that writes attempts down. */
export interface TargetRequest extends AttemptRequest {
  readonly callId: string;
  readonly requestId: string;
  /** Who makes the call. */
  readonly principal?: Principal;
  readonly journal: AttemptJournal;
  /** Of the target, where the strategy goes by it. */
  readonly latency: LatencyObserver | undefined;
  /** Where a second attempt goes when this one is late; `own` is this one's target once more. Asked when it is due. */
  readonly spare: ((own: AttemptNext<TargetRequest>) => AttemptNext<TargetRequest> | undefined) | undefined;
}

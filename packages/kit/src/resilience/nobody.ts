import { Cancellation } from '../time/index.ts';

function nothing(): void {}

/** The cancellation of a caller who brought none: shared by all such calls, it is never cancelled and remembers no listener. */
class NeverCancelled extends Cancellation {
  override cancel(): void {}

  override onCancel(): () => void {
    return nothing;
  }

  /** Another one each time: listeners that are left on it go with it. */
  override get signal(): AbortSignal {
    return new AbortController().signal;
  }
}

export const nobody: Cancellation = new NeverCancelled();

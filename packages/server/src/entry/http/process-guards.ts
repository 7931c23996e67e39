export type ProcessFault = 'uncaught_exception' | 'unhandled_rejection';

export interface ProcessGuardOptions {
  /**
   * Logs, counts, drains and exits non-zero. Called for the first fault only: a process in an unknown state is stopped
   * once, and faults on the way down must not start that again.
   */
  readonly onFatal: (fault: ProcessFault, thrown: unknown) => void;
  /** Called for those that come after, so that they are at least logged. */
  readonly onFurther?: (fault: ProcessFault, thrown: unknown) => void;
}

/** Without this, Node would end at once and cut every stream. Returns the function that takes the guards away again. */
export function installProcessGuards({ onFatal, onFurther }: ProcessGuardOptions): () => void {
  let seen = false;
  const guard = (fault: ProcessFault) => (thrown: unknown) => {
    if (seen) {
      onFurther?.(fault, thrown);
      return;
    }
    seen = true;
    onFatal(fault, thrown);
  };
  const onException = guard('uncaught_exception');
  const onRejection = guard('unhandled_rejection');
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
}

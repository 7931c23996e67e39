/** Where commands write. The one place that touches the standard streams. */
export interface Terminal {
  /** What was asked for: safe to pipe into another program. */
  out(text: string): void;
  /** Resolves when what was written to `out` has gone, for who writes much. */
  drained?(): Promise<void>;
  /** What is said about it. */
  error(text: string): void;
  /** Whether a person reads `out`. */
  readonly interactive: boolean;
}

let listening = false;

/** `holdfast usage | head` closes the pipe early, which is no reason to die with a stack. */
function ignoreClosedPipes(): void {
  if (listening) return;
  listening = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

export const processTerminal: Terminal = {
  out(text) {
    ignoreClosedPipes();
    process.stdout.write(text);
  },
  drained() {
    if (!process.stdout.writableNeedDrain) return Promise.resolve();
    // A reader that went away takes no more: it is over then, too.
    return new Promise((resolve) => {
      const over = (): void => {
        process.stdout.off('drain', over).off('error', over).off('close', over);
        resolve();
      };
      process.stdout.on('drain', over).on('error', over).on('close', over);
    });
  },
  error(text) {
    ignoreClosedPipes();
    process.stderr.write(text);
  },
  get interactive() {
    // `isTTY` is typed as always there, and is not.
    return 'isTTY' in process.stdout && process.stdout.isTTY;
  },
};

import pino from 'pino';

/** Where finished lines go. */
export interface LineSink {
  write(line: string): void;
  /** Resolves when everything written before has reached the operating system. Never rejects: a log that fails must not fail its caller. */
  flush(): Promise<void>;
}

/** Past this much waiting to be written, lines are dropped: a log that nobody reads must not take the memory. */
const mostWaitingBytes = 8 * 1024 * 1024;

/** Standard output, or a file that is made with its folders. Written in the background, at once when idle. */
export function openSink(target: 'stdout' | { readonly file: string }, onError: (error: Error) => void): LineSink {
  const stream = pino.destination({
    dest: target === 'stdout' ? 1 : target.file,
    sync: false,
    mkdir: target !== 'stdout',
    maxLength: mostWaitingBytes,
    // Writes at once, as 0 does, and unlike 0 lets `flush` wait for what is under way.
    minLength: 1,
  });
  // Without a listener, a full disk or a closed pipe would end the process.
  let told = false;
  stream.on('error', (error: Error) => {
    if (told) return;
    told = true;
    onError(error);
  });
  return {
    write: (line) => void stream.write(line),
    flush: () => new Promise((resolve) => stream.flush(() => resolve())),
  };
}

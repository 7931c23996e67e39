import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import pino from 'pino';
import { HoldfastError } from '../../errors/index.ts';
import type { Clock, Timer } from '../../time/index.ts';
import { LogFile, type RotationOptions } from './log-file.ts';

/** Where finished lines go. */
export interface LineSink {
  write(line: string): void;
  /** Resolves when everything written before has reached the operating system. Never rejects: a log that fails must not fail its caller. */
  flush(): Promise<void>;
}

/** Past this much waiting to be written, lines are dropped: a log that nobody reads must not take the memory. */
const mostWaitingBytes = 8 * 1024 * 1024;

/**
 * Lines are written together, since a write wakes a thread of the pool: at 16 KiB a write that still was two thirds of what a
 * line costs (15 µs of a request's 85 on one core, against 6 at 128 KiB). They wait as bytes: as one text that grew line by line they were
 * thousands of small objects, which the collector carried along and which cost 4 µs a line to gather when it was written.
 */
const batchBytes = 128 * 1024;
/** Of UTF-8, in a UTF-16 unit. */
const mostBytesPerUnit = 3;
const longestWaitMs = 50;

export interface SinkOptions {
  readonly target: 'stdout' | { readonly file: string; readonly rotation?: RotationOptions | undefined };
  readonly clock: Clock;
  /** Called at the first failure, and again at the first after it had gone on. */
  readonly onError: (error: Error) => void;
  /** Called when it is written again, with the lines that were dropped meanwhile. */
  readonly onRecovery?: (droppedLines: number) => void;
}

/**
 * Throws `configuration_invalid` when the file cannot be written: better at the start than in silence. Folders are made one
 * by one, because Node's `recursive` never returns below a folder that can hold none, such as `/proc`.
 */
function openForAppending(file: string): void {
  try {
    makeFolder(dirname(resolve(file)));
    closeSync(openSync(file, 'a'));
  } catch (cause) {
    throw new HoldfastError('configuration_invalid', {
      detail: `the log file ${file} cannot be written: ${(cause as Error).message}`,
      cause,
    });
  }
}

function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/**
 * Standard output, or a file that is made with its folders. A line waits for up to 50 ms; what waits is written at a
 * regular exit of the process, and lost with a `kill -9`.
 */
export function openSink({ target, clock, onError, onRecovery }: SinkOptions): LineSink {
  if (target !== 'stdout') openForAppending(target.file);
  const stream = pino.destination({
    dest: target === 'stdout' ? 1 : target.file,
    sync: false,
    // Writes what it is given at once, as 0 does, and unlike 0 lets `flush` wait for what is under way.
    minLength: 1,
    maxLength: mostWaitingBytes,
  });
  // Without a listener, a full disk or a closed pipe would end the process.
  let failing = false;
  let dropped = 0;
  stream.on('error', (error: Error) => {
    if (failing) return;
    failing = true;
    onError(error);
  });
  // What finds no room any more.
  stream.on('drop', (text: string) => {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) dropped++;
  });
  stream.on('write', () => {
    if (!failing) return;
    failing = false;
    onRecovery?.(dropped);
    dropped = 0;
  });
  const file =
    target === 'stdout' ? undefined : new LogFile({ ...target, rotation: target.rotation, clock, reopen: () => stream.reopen() });
  // Gathered here and not in the stream, which looks at all that it holds at each write.
  const batch = Buffer.allocUnsafeSlow(batchBytes);
  let filled = 0;
  let timer: Timer | undefined;
  const send = (text: string, bytes: number) => {
    stream.write(text);
    file?.wrote(bytes);
  };
  const write = () => {
    if (filled === 0) return;
    // One flat text, cheap both ways: the stream, given bytes, fails when it opens the file anew while it is flushed.
    const text = batch.toString('utf8', 0, filled);
    const bytes = filled;
    filled = 0;
    process.off('exit', write);
    send(text, bytes);
  };
  return {
    write(line) {
      const mostBytes = line.length * mostBytesPerUnit;
      if (mostBytes > batchBytes - filled) write();
      if (mostBytes > batchBytes) return send(line, Buffer.byteLength(line));
      if (filled === 0) {
        if (timer) timer.refresh();
        else timer = clock.setTimeout(write, longestWaitMs);
        // Before pino's own listener, which writes what its stream holds.
        process.prependListener('exit', write);
      }
      filled += batch.write(line, filled, 'utf8');
    },
    async flush() {
      write();
      await file?.settled();
      await new Promise<void>((resolve) => stream.flush(() => resolve()));
    },
  };
}

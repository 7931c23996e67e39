import type { Clock } from '@holdfast/kit/time';
import type { IncomingMessage } from 'node:http';

const mostBytes = 64 * 1024 * 1024;
const longestMs = 2_000;

/**
 * Reads on and throws away what a refused request still sends, within bounds. Closing a socket that has unread data
 * makes the kernel send a reset, which can overtake the answer: the client would see a broken connection and not why.
 */
export function discardBody(raw: IncomingMessage, clock: Clock): Promise<void> {
  if (raw.complete || raw.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    const stop = () => {
      timer.cancel();
      raw.off('data', onData).off('end', stop).off('error', stop).off('close', stop);
      resolve();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > mostBytes) stop();
    };
    const timer = clock.setTimeout(stop, longestMs);
    raw.on('data', onData).on('end', stop).on('error', stop).on('close', stop);
    raw.resume();
  });
}

import { eventLoopTurn } from '../event-loop-turn.ts';
import type { AnswerWriter } from './answer-writer.ts';

const mebibyte = 1024 * 1024;
/** Stands in a body or an event for the letters that are too many to be built in memory. */
export const hugePlaceholder = 'HUGE-LINE-PLACEHOLDER';

const block = Buffer.alloc(64 * 1024, 'a');

/** Writes text with its placeholder replaced by so many letters, no faster than the reader takes them. */
export async function writeHuge(writer: AnswerWriter, text: string, megabytes: number): Promise<void> {
  const at = text.indexOf(hugePlaceholder);
  await writer.write(Buffer.from(text.slice(0, at)));
  for (let left = megabytes * mebibyte; left > 0 && !writer.closed; left -= block.length) {
    const blocked = writer.write(left < block.length ? block.subarray(0, left) : block);
    // Given back to the event loop even when the system took all, or the close of the client would not be seen.
    await (blocked ?? eventLoopTurn());
  }
  await writer.write(Buffer.from(text.slice(at + hugePlaceholder.length)));
}

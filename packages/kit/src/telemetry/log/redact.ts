import { createMasker, sensitiveTypes } from '../../privacy/index.ts';

/**
 * Addresses stay: whoever writes a line decides whether it has the address, as a ban must, or a pseudonym of it.
 */
const masker = createMasker({ types: sensitiveTypes.filter((type) => type !== 'ipv4' && type !== 'ipv6') });

/**
 * The line of JSON without secrets and personal data, and JSON still. Works on the finished text and not on objects, because secrets also stand
 * inside messages, paths and nested JSON, where no list of paths finds them.
 */
export function redactLine(line: string): string {
  const from = headEnd(line);
  return from === 0 ? masker.maskJson(line) : line.slice(0, from) + masker.maskJson(line.slice(from));
}

const beforeTime = '","time":"';
const timeLength = '2026-11-20T00:00:00.000Z'.length;

/**
 * Where the level and the time end, with which the logger begins each line: digits in groups, which might be a telephone number, took more than half of what a line costs.
 * 0 where a line begins otherwise.
 */
function headEnd(line: string): number {
  if (!line.startsWith('{"level":"')) return 0;
  const at = line.indexOf(beforeTime, 10);
  // The longest level has six letters: what comes later is a member that somebody else wrote.
  if (at < 0 || at > 16) return 0;
  const end = at + beforeTime.length + timeLength;
  return line[end] === '"' && line[end - 1] === 'Z' && line.indexOf('"', at + beforeTime.length) === end ? end + 1 : 0;
}

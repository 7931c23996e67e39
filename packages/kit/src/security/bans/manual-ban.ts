import { HoldfastError } from '../../errors/index.ts';
import { parseIpRange, type IpRange } from '../ip/index.ts';

/** What a person bans. */
export interface ManualBan {
  /** An address, exactly as it is (no /64 is made of it), or a CIDR range. */
  readonly range: string;
  /** Unix milliseconds; null or left out: until it is lifted. */
  readonly endsAtMs?: number | null;
  /** Who bans, as an id of the user or key. */
  readonly by?: string | null;
  /** Why, in one's own words. At most 500 characters. */
  readonly note?: string | null;
}

/** Wider is a slip of the hand, such as /0, that would shut out whoever could lift it. */
const widestPrefix = { 4: 8, 6: 16 } as const;
const longestNote = 500;
/** Dates beyond it (the year 9999) cannot be written in four digits. */
const latestMs = 253_402_300_799_000;

interface ReadBan {
  readonly range: IpRange;
  readonly endsAtMs: number | null;
  readonly by: string | null;
  readonly note: string | null;
}

/** Throws `invalid_request` with every fault. */
export function readManualBan({ range: text, endsAtMs = null, by = null, note = null }: ManualBan, nowMs: number): ReadBan {
  const details: { field: string; message: string }[] = [];
  const range = parseIpRange(text);
  if (!range) details.push({ field: 'range', message: 'is neither an address nor a CIDR range' });
  else if (range.prefixLength < widestPrefix[range.family])
    details.push({ field: 'range', message: `is wider than /${widestPrefix[range.family]}` });
  if (endsAtMs !== null && !(Number.isFinite(endsAtMs) && endsAtMs > nowMs && endsAtMs <= latestMs))
    details.push({ field: 'ends_at', message: 'must be in the future' });
  if (note !== null && note.length > longestNote) details.push({ field: 'note', message: `is longer than ${longestNote} characters` });
  if (!range || details.length > 0) throw new HoldfastError('invalid_request', { details });
  return { range, endsAtMs, by, note };
}

import { defineChannel } from '../../events/index.ts';
import type { Ban } from '../bans/index.ts';
import type { Finding } from '../detectors/index.ts';

/** A detector found something. */
export interface AbuseDetected extends Finding {
  /** The ban that came of it; undefined when it was only flagged: it advised no more, the client is never banned, or the watch is in shadow. */
  readonly ban: Ban | undefined;
}
export const abuseDetected = defineChannel<AbuseDetected>('holdfast:security:abuse-detected');

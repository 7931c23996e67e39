import type { Clock, Timer } from '@holdfast/kit/time';
import type { NewAuditEvent } from '../../platform/audit/index.ts';

export interface FloodGateOptions {
  readonly clock: Clock;
  /** What is left of a minute: an event that stands for all that were counted. */
  readonly onCounted: (event: NewAuditEvent) => void;
  /** Sources that are told apart in a minute; what comes of others is counted together. Default 1,000. */
  readonly maxSources?: number;
}

const windowMs = 60_000;
/** Also for those that are not told apart, or each new address would have its own first event. */
const others = '\0others';

interface Source {
  told: number;
  counted: number;
  /** The last that was counted. */
  last: NewAuditEvent | undefined;
}

/**
 * Lets the first events of a source pass and counts the rest of the minute, so that nobody fills the log by being refused: of each source there
 * are at most a few events a minute and one that counts.
 */
export class FloodGate {
  readonly #options: FloodGateOptions;
  #sources = new Map<string, Source>();
  #timer: Timer | undefined;
  #beganAt = 0;

  constructor(options: FloodGateOptions) {
    this.#options = options;
  }

  /** Whether the event is to be told by itself; it was counted when not. `source` holds everything that two events of one count have in common. */
  admit(source: string, most: number, event: NewAuditEvent): boolean {
    const { clock, maxSources = 1_000 } = this.#options;
    if (this.#timer === undefined) {
      this.#beganAt = clock.monotonic();
      this.#timer = clock.setTimeout(() => this.#endMinute(), windowMs);
    }
    const known = this.#sources.get(source);
    if (known !== undefined) return this.#count(known, most, event);
    if (this.#sources.size < maxSources) return this.#count(this.#add(source), most, event);
    const name = `${others} ${event.type} ${event.organizationId}`;
    // There are as many of these as there are organizations whose keys are refused.
    return this.#count(this.#sources.get(name) ?? this.#add(name), 0, anonymous(event));
  }

  /** Tells what was counted. */
  close(): void {
    this.#timer?.cancel();
    this.#endMinute();
  }

  #add(name: string): Source {
    const source: Source = { told: 0, counted: 0, last: undefined };
    this.#sources.set(name, source);
    return source;
  }

  #count(source: Source, most: number, event: NewAuditEvent): boolean {
    if (source.told < most) {
      source.told++;
      return true;
    }
    source.counted++;
    source.last = event;
    return false;
  }

  #endMinute(): void {
    this.#timer = undefined;
    const sources = this.#sources;
    this.#sources = new Map();
    const seconds = Math.ceil((this.#options.clock.monotonic() - this.#beganAt) / 1000);
    for (const { counted, last } of sources.values()) if (last !== undefined) this.#options.onCounted(counting(last, counted, seconds));
  }
}

/** Of the last of them, without what is its alone. */
function counting(
  { id: _id, atMs: _at, by: { requestId: _request, ...by }, ...event }: NewAuditEvent,
  count: number,
  seconds: number,
): NewAuditEvent {
  return { ...event, by, details: { ...event.details, count, seconds } };
}

function anonymous({ type, outcome, organizationId }: NewAuditEvent): NewAuditEvent {
  return { type, ...(outcome !== undefined && { outcome }), organizationId, by: { actor: { type: 'anonymous' } } };
}

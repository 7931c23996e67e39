/** Something that will happen at a moment of virtual time. Of what is due at the same moment, the lot decides. */
export interface QueuedEvent {
  dueMs: number;
  lot: number;
  cancelled: boolean;
  readonly what: string;
  /** Whom it happens to: what is due for a process that stands still waits, and for one that ended it never comes. */
  readonly of: { readonly alive: boolean; readonly stillUntilMs: number } | undefined;
  readonly happen: () => void;
}

/** A binary heap by due time and lot. */
export class EventQueue {
  readonly #events: QueuedEvent[] = [];

  get next(): QueuedEvent | undefined {
    return this.#events[0];
  }

  add(event: QueuedEvent): void {
    const events = this.#events;
    let at = events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, events[parent]!)) break;
      events[at] = events[parent]!;
      at = parent;
    }
    events[at] = event;
  }

  take(): QueuedEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (last === undefined || events.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && before(events[child + 1]!, events[child]!)) child++;
      if (!before(events[child]!, last)) break;
      events[at] = events[child]!;
      at = child;
    }
    events[at] = last;
    return first;
  }
}

function before(one: QueuedEvent, other: QueuedEvent): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.lot < other.lot);
}

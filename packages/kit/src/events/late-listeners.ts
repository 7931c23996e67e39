interface Waiting {
  handOn(): void;
}

/** Those of whom something waits. */
let waiting: Waiting[] = [];
let scheduled = false;

/** Hands on what was announced so far to those that listen late, without waiting for the end of the turn: before what they write is closed. */
export function handOnAnnouncements(): void {
  // What is announced meanwhile is handed on as well.
  while (waiting.length > 0) {
    const now = waiting;
    waiting = [];
    for (const each of now) each.handOn();
  }
}

function onTurnEnd(): void {
  scheduled = false;
  handOnAnnouncements();
}

/** The listeners of one channel that hear of all its messages of a turn together. */
export class LateListeners<Message extends object> implements Waiting {
  readonly #listeners: ((message: Message) => void)[] = [];
  #messages: Message[] = [];

  get count(): number {
    return this.#listeners.length;
  }

  add(listener: (message: Message) => void): void {
    this.#listeners.push(listener);
  }

  remove(listener: (message: Message) => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  take(message: Message): void {
    this.#messages.push(message);
    if (this.#messages.length > 1) return;
    waiting.push(this);
    if (scheduled) return;
    scheduled = true;
    setImmediate(onTurnEnd);
  }

  handOn(): void {
    const messages = this.#messages;
    this.#messages = [];
    // One listener after the other, not one message: its code and its tables are at hand from the second message on.
    for (const listener of [...this.#listeners]) {
      for (const message of messages) {
        try {
          listener(message);
        } catch (error) {
          // As `node:diagnostics_channel` does: it is nobody's but the process's to know.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    }
  }
}

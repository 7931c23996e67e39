import { settlementLost } from '../announcements.ts';
import type { Settlement } from '../driver.ts';

const maxWaiting = 10_000;
const batch = 200;

/** What the store has to be told when it is back. Bounded; what finds no room is announced as lost. */
export class SettlementBacklog {
  #waiting: Settlement[] = [];

  add(settlements: readonly Settlement[], error: unknown): void {
    const room = maxWaiting - this.#waiting.length;
    this.#waiting.push(...settlements.slice(0, room));
    announceLost(settlements.slice(room), error);
  }

  /** The next few, at most 200; empty when all is told. They are the caller's to tell or lose. */
  next(): Settlement[] {
    return this.#waiting.splice(0, batch);
  }
}

export function announceLost(settlements: readonly Settlement[], error: unknown): void {
  if (settlements.length === 0 || !settlementLost.hasSubscribers) return;
  settlementLost.publish({ policies: settlements.map(({ bucket }) => bucket.policy.name), error });
}

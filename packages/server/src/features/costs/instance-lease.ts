import type { Clock, Timer } from '@holdfast/kit/time';

export interface InstanceLeaseOptions {
  /** Writes that the instance is alive; a new id makes a new row. */
  readonly beat: (instanceId: string) => Promise<void>;
  readonly newId: () => string;
  readonly clock: Clock;
}

/** An instance says that it is alive this often, in milliseconds. */
const beatEveryMs = 5_000;
/** And this often while it cannot, so that it comes back soon. */
const retryEveryMs = 500;
/** After this long without a beat that was written, the instance itself holds its lease for lost. */
const validForMs = 30_000;
/** After this long the others do. The gap is for clocks that run at different speed and for a statement on its way. */
export const deadAfterMs = 60_000;

/**
 * Tells instances that are alive from those that died, so that the calls of the dead can be settled by the living. An
 * instance that could not say so in time stops to record under its old name before the others give it up, and goes on
 * under a new one.
 */
export class InstanceLease {
  readonly #options: InstanceLeaseOptions;
  #instanceId: string;
  #beatenAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #beating = false;
  /** The name is new, and the database does not know it yet. */
  #unknown = true;
  #soon = false;
  #stopped = false;

  constructor(options: InstanceLeaseOptions) {
    this.#options = options;
    this.#instanceId = options.newId();
  }

  get instanceId(): string {
    return this.#instanceId;
  }

  /** When the last beat that was written was sent, on the clock's monotonic scale. */
  get beatenAt(): number {
    return this.#beatenAt;
  }

  get valid(): boolean {
    return this.#options.clock.monotonic() - this.#beatenAt < validForMs;
  }

  /** Whether what was begun under this id may still be recorded under it. */
  holds(instanceId: string): boolean {
    return instanceId === this.#instanceId && this.valid;
  }

  /** Takes the lease; throws when the database refuses it. Keeps it until `stop`. */
  async start(): Promise<void> {
    await this.#beat();
    this.#schedule(beatEveryMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The database was seen to fail: asks again soon. Saying so again does not put it off. */
  beatSoon(): void {
    if (this.#timer && !this.#beating && !this.#soon) this.#schedule(retryEveryMs);
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#soon = delayMs === retryEveryMs;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#beating = true;
      void this.#beat()
        .then(
          () => beatEveryMs,
          () => retryEveryMs,
        )
        .then((next) => {
          this.#beating = false;
          this.#schedule(next);
        });
    }, delayMs);
  }

  async #beat(): Promise<void> {
    const { clock } = this.#options;
    // Counted from before it was sent: the database may have written it at any moment since.
    const sentAt = clock.monotonic();
    // One new name for an outage, however often it is tried: calls that are begun meanwhile, and kept on the disk, go by it.
    if (!this.#unknown && !this.valid) {
      this.#instanceId = this.#options.newId();
      this.#unknown = true;
    }
    await this.#options.beat(this.#instanceId);
    this.#unknown = false;
    this.#beatenAt = sentAt;
  }
}

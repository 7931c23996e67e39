import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../time/index.ts';
import type { UpstreamBehaviour } from './behaviour.ts';
import type { CallLog, UpstreamCall } from './call-log.ts';

/** Writes one answer, counts what went out, and stops where the client has gone or the script says so. */
export class AnswerWriter {
  readonly #response: ServerResponse;
  readonly #call: UpstreamCall;
  readonly #log: CallLog;
  readonly #clock: Clock;
  readonly #wakers = new Set<() => void>();
  #closed = false;

  constructor(response: ServerResponse, call: UpstreamCall, log: CallLog, clock: Clock) {
    this.#response = response;
    this.#call = call;
    this.#log = log;
    this.#clock = clock;
    // A write that meets a client who has just gone is no fault of anybody; `close` follows and says it.
    response.on('error', () => {});
    response.once('finish', () => this.#ended('whole'));
    response.once('close', () => {
      this.#closed = true;
      if (call.outcome === 'open') call.clientClosedAtMs = clock.now();
      this.#ended('client_closed');
      for (const wake of this.#wakers) wake();
    });
  }

  /** The client went away, or the script cut the answer. */
  get closed(): boolean {
    return this.#closed || this.#response.destroyed;
  }

  head(status: number, headers: Readonly<Record<string, string | number>>): void {
    this.#call.status = status;
    this.#response.writeHead(status, headers);
    this.#log.changed();
  }

  /** Sends headers that no body follows yet. */
  flushHead(): void {
    this.#response.flushHeaders();
  }

  /** Resolves when the reader can take more. */
  write(bytes: Buffer, eventsIn = 0): Promise<void> | void {
    if (this.closed) return;
    const ready = this.#response.write(bytes);
    this.#call.bytesSent += bytes.length;
    if (eventsIn > 0) {
      this.#call.eventsSent += eventsIn;
      this.#log.changed();
    }
    if (!ready) return this.#until((wake) => void this.#response.once('drain', wake));
  }

  end(bytes?: Buffer): void {
    if (this.closed) return;
    if (bytes) this.#call.bytesSent += bytes.length;
    this.#response.end(bytes);
  }

  /** Ends the answer as a fault: what was written before is handed to the system first. */
  async cut(by: NonNullable<UpstreamBehaviour['cutBy']>): Promise<void> {
    if (this.closed) return;
    this.#ended('cut');
    if (by === 'end') return void this.#response.end();
    const { socket } = this.#response;
    await this.#until((wake) => void socket?.write('', wake));
    if (by === 'reset') socket?.resetAndDestroy();
    else socket?.destroy();
  }

  /** Ends early when the client goes away. */
  pause(delayMs: number): Promise<void> {
    let timer: Timer | undefined;
    return this.#until((wake) => void (timer = this.#clock.setTimeout(wake, delayMs))).finally(() => timer?.cancel());
  }

  async #until(arrange: (wake: () => void) => void): Promise<void> {
    if (this.closed) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#wakers.delete(wake);
        resolve();
      };
      this.#wakers.add(wake);
      arrange(wake);
    });
  }

  #ended(outcome: UpstreamCall['outcome']): void {
    if (this.#call.outcome !== 'open') return;
    this.#call.outcome = outcome;
    this.#call.endedAtMs = this.#clock.now();
    this.#log.changed();
  }
}

import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../time/index.ts';

/** One request as the upstream saw it. Fields that say how it ended are filled in as it goes. */
export interface UpstreamCall {
  /** 0 for the first request since the start, whatever is still kept. */
  readonly index: number;
  /** Which connection carried it: 0 for the first that was opened. */
  readonly connection: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  /** When the headers were in, in Unix milliseconds. */
  readonly receivedAtMs: number;
  /** The raw bytes of the body; empty until it was read. */
  body: Buffer;
  /** The body parsed; undefined when it is not JSON. */
  json: Readonly<Record<string, unknown>> | undefined;
  model: string | undefined;
  /** `user` of an OpenAI request, `metadata.user_id` of an Anthropic one. */
  marker: string | undefined;
  /** The status sent; undefined before the headers were. */
  status: number | undefined;
  /** Whole events written, pings and comments not counted. */
  eventsSent: number;
  /** Bytes of the answer's body written. */
  bytesSent: number;
  /** `whole`: everything that the script wanted was handed to the system; `cut`: ended by the script's fault. */
  outcome: 'open' | 'whole' | 'cut' | 'client_closed';
  endedAtMs: number | undefined;
  /** When the client's connection closed while the answer was not whole. */
  clientClosedAtMs: number | undefined;
}

export interface WaitOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
}

type Predicate<T> = (calls: readonly UpstreamCall[]) => T | undefined | null | false;

/** The calls received, oldest first, and those who wait for something in them. */
export class CallLog {
  readonly #clock: Clock;
  readonly #keepCalls: number;
  readonly #watchers = new Set<() => void>();
  #calls: UpstreamCall[] = [];

  constructor(clock: Clock, keepCalls: number) {
    this.#clock = clock;
    this.#keepCalls = keepCalls;
  }

  get calls(): readonly UpstreamCall[] {
    return this.#calls;
  }

  add(call: UpstreamCall): void {
    if (this.#keepCalls === 0) return;
    this.#calls.push(call);
    if (this.#calls.length > this.#keepCalls) this.#calls.shift();
    this.changed();
  }

  clear(): void {
    this.#calls = [];
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  waitFor<T>(predicate: Predicate<T>, options: WaitOptions = {}): Promise<T> {
    const timeoutMs = options.timeoutMs ?? 10_000;
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        this.#watchers.delete(check);
        timer.cancel();
        settle();
      };
      const check = () => {
        try {
          const found = predicate(this.#calls);
          if (found !== undefined && found !== null && found !== false) finish(() => resolve(found as T));
        } catch (error) {
          finish(() => reject(error));
        }
      };
      const timer = this.#clock.setTimeout(() => {
        const seen = this.#calls
          .slice(-20)
          .map((call) => `#${call.index} ${call.method} ${call.path} ${call.model ?? ''} → ${call.status ?? '-'} ${call.outcome}`);
        finish(() => reject(new Error(`Not seen at the upstream within ${timeoutMs} ms. Calls: ${seen.join('; ') || 'none'}`)));
      }, timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }
}

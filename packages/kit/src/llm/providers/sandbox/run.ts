import { isHoldfastError } from '../../../errors/index.ts';
import type { Clock, Random } from '../../../time/index.ts';
import { AttemptError, type AttemptRequest, type AttemptSink } from '../../spec/index.ts';
import { failureOf } from './failure.ts';
import type { SandboxModel } from './model-name.ts';
import type { SandboxSettings } from './settings.ts';
import { Cancelled, Waits } from './waits.ts';

/** One attempt at the sandbox: what it was asked, how it is to behave, and what it has said so far. */
export class Run {
  readonly request: AttemptRequest;
  readonly sink: AttemptSink;
  readonly model: SandboxModel;
  readonly clock: Clock;
  readonly random: Random;
  readonly waits: Waits;
  /** Bytes of generated text that went out. */
  outputBytes = 0;
  #tokens = 0;

  constructor(request: AttemptRequest, sink: AttemptSink, model: SandboxModel, clock: Clock, random: Random) {
    this.request = request;
    this.sink = sink;
    this.model = model;
    this.clock = clock;
    this.random = random;
    this.waits = new Waits(clock, request.cancellation);
  }

  get settings(): SandboxSettings {
    return this.model.settings;
  }

  /** The time to the first token, and what may come instead of it. */
  async begin(): Promise<void> {
    const { settings, waits } = this;
    await waits.pause(0);
    this.sink.connected();
    if (settings.silent) await waits.forever();
    await waits.pause(settings.latencyMs);
    if (settings.status !== 200 && (settings.errorRate >= 1 || this.random.next() < settings.errorRate))
      throw failureOf(settings.status, settings);
  }

  /** Tokens until the first fault that was asked for; Infinity when none was. */
  get faultAfter(): number {
    const { cutAfter, stallAfter, malformedAfter } = this.settings;
    return Math.min(
      cutAfter ?? Number.POSITIVE_INFINITY,
      stallAfter ?? Number.POSITIVE_INFINITY,
      malformedAfter ?? Number.POSITIVE_INFINITY,
    );
  }

  /** The faults that are due before the next token. */
  async beforeToken(): Promise<void> {
    const { cutAfter, stallAfter, malformedAfter } = this.settings;
    if (cutAfter !== undefined && this.#tokens >= cutAfter)
      throw this.error('stream_cut', `the sandbox was set to cut after ${cutAfter} tokens`);
    if (malformedAfter !== undefined && this.#tokens >= malformedAfter) {
      throw this.error('provider_malformed', `the sandbox was set to send something unreadable after ${malformedAfter} tokens`);
    }
    if (stallAfter !== undefined && this.#tokens >= stallAfter) await this.waits.forever();
  }

  said(piece: string): void {
    this.#tokens++;
    this.outputBytes += Buffer.byteLength(piece);
  }

  /** A fault that was asked for always takes place, also when the answer is shorter than its number of tokens. */
  async beforeEnd(): Promise<void> {
    this.#tokens = Number.POSITIVE_INFINITY;
    await this.beforeToken();
  }

  error(code: AttemptError['code'], detail: string, cause?: unknown): AttemptError {
    return new AttemptError(code, {
      detail,
      cause,
      partial: { usage: undefined, outputBytes: this.outputBytes, servedModel: this.model.name },
    });
  }

  /** What the attempt rejects with for what was thrown within it. */
  failure(thrown: unknown): unknown {
    if (!(thrown instanceof Cancelled)) return thrown;
    const { reason } = thrown;
    return isHoldfastError(reason) ? this.error(reason.code, reason.message, reason) : this.error('client_closed', 'cancelled', reason);
  }

  /** An id such as OpenAI gives its answers. */
  newId(prefix: string): string {
    return `${prefix}${this.random.bytes(12).toString('hex')}`;
  }
}

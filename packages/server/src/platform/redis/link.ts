import { compose, createExecute, retry, timeout, type CallContext, type Execute, type Policy } from '@holdfast/kit/resilience';
import { Cancellation, sleep, type Clock, type Random } from '@holdfast/kit/time';
import { createRedisClient, redisUnavailable, type Client } from './client.ts';

export interface LinkOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  /** At each change, and once when the very first attempt fails. */
  readonly onChange: (connected: boolean, error: unknown) => void;
}

/** A whole attempt: name, TCP, TLS, credentials and a first answer. */
const connectTimeoutMs = 2_000;
/** A connection whose other end vanished looks like one on which nothing happens. */
const heartbeatMs = 2_000;
const heartbeatTimeoutMs = 2_000;
/** After a loss all instances come back: spread over this, and none in a tight loop where connections end as soon as they are made. */
const returnWithinMs = 1_000;
const maxBackoffMs = 2_000;

/** One connection to Redis that is made again for as long as it is wanted. */
export class RedisLink {
  readonly #options: LinkOptions;
  readonly #execute: Execute;
  readonly #closing = new Cancellation();
  readonly #ended: Promise<void>;
  readonly #settled = Promise.withResolvers<void>();
  #client: Client | undefined;
  #drop: (error: unknown) => void = () => {};
  #reported = false;

  constructor(options: LinkOptions) {
    const { clock, random } = options;
    this.#options = options;
    const report: Policy = (next) => (context) =>
      next(context).catch((error: unknown) => {
        this.#report(error);
        throw error;
      });
    // Whatever the reason: a password may be put right, and a name may point elsewhere soon.
    const again = retry({
      name: 'redis',
      attempts: Number.MAX_SAFE_INTEGER,
      maxDelayMs: maxBackoffMs,
      budgetPercent: Number.POSITIVE_INFINITY,
      classify: () => 'transient',
      clock,
      random,
    });
    this.#execute = createExecute(compose(again, report, timeout({ name: 'redis', timeoutMs: connectTimeoutMs, clock })), true);
    this.#ended = this.#keepUp().catch(() => {});
  }

  /** Undefined while there is no connection. */
  get client(): Client | undefined {
    return this.#client;
  }

  /** Resolves when there is a connection, or when the first attempt at one has failed. Never rejects. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Gives the connection up and makes another. */
  drop(error: unknown): void {
    this.#drop(error);
  }

  async close(): Promise<void> {
    this.#closing.cancel(redisUnavailable('the connection was closed'));
    this.#drop(this.#closing.reason);
    await this.#ended;
  }

  async #keepUp(): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#closing.cancelled) {
      const { client, lost } = await this.#execute((context) => this.#connect(context), { cancellation: this.#closing });
      this.#client = client;
      this.#reported = false;
      this.#settled.resolve();
      this.#options.onChange(true, undefined);
      const error = await this.#untilLost(client, lost);
      this.#client = undefined;
      discard(client);
      if (this.#closing.cancelled) return;
      this.#report(error);
      await sleep(clock, random.next() * returnWithinMs, this.#closing.signal);
    }
  }

  async #connect({ cancellation }: CallContext): Promise<{ readonly client: Client; readonly lost: Promise<unknown> }> {
    const client = await createRedisClient(this.#options.url, connectTimeoutMs);
    // Listened to from the start: an `error` without a listener ends the process.
    const lost = new Promise<unknown>((resolve) => void client.on('error', resolve));
    let hasSocket = false;
    client.once('connect', () => {
      hasSocket = true;
      if (cancellation.cancelled) discard(client);
    });
    // Before there is a socket the library leaves the one it is making open. The time limit of the connecting ends that.
    const unlink = cancellation.onCancel(() => {
      if (hasSocket) discard(client);
    });
    try {
      if (cancellation.cancelled) throw cancellation.reason;
      await client.connect();
      // A server that wants credentials takes a connection without, and then refuses every command.
      await client.ping();
      return { client, lost };
    } catch (error) {
      discard(client);
      throw error;
    } finally {
      unlink();
    }
  }

  #untilLost(client: Client, lost: Promise<unknown>): Promise<unknown> {
    const { clock } = this.#options;
    const over = new AbortController();
    const beat = async (): Promise<unknown> => {
      for (;;) {
        await sleep(clock, heartbeatMs, over.signal);
        const limit = sleep(clock, heartbeatTimeoutMs, over.signal).then(() => 'silent' as const);
        if ((await Promise.race([client.ping(), limit])) === 'silent') return redisUnavailable(`no answer in ${heartbeatTimeoutMs} ms`);
      }
    };
    const dropped = new Promise<unknown>((resolve) => (this.#drop = resolve));
    return Promise.race([lost, dropped, beat().catch((error: unknown) => error)]).finally(() => over.abort());
  }

  /** Once for each loss: the attempts that follow say nothing new. */
  #report(error: unknown): void {
    this.#settled.resolve();
    if (this.#reported || this.#closing.cancelled) return;
    this.#reported = true;
    this.#options.onChange(false, error);
  }
}

/** Ends the connection at once; commands under way reject. */
function discard(client: Client): void {
  if (client.isOpen) client.destroy();
}

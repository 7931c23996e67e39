import { createHash } from 'node:crypto';
import type { RedisBreakerClient } from './client.ts';

/** A script that Redis knows by its digest, and is told once more when it has forgotten it (restart, failover, SCRIPT FLUSH). */
export class RedisScript {
  readonly #text: string;
  readonly #sha1: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha1 = createHash('sha1').update(text).digest('hex');
  }

  /** One round trip. Rejects with what the client rejects with. */
  async run(client: RedisBreakerClient, keys: string[], args: string[]): Promise<unknown> {
    const options = { keys, arguments: args };
    try {
      return await client.evalSha(this.#sha1, options);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    }
    return client.eval(this.#text, options);
  }
}

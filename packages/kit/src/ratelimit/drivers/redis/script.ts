import { createHash } from 'node:crypto';
import { HoldfastError } from '../../../errors/index.ts';
import type { RedisScriptClient } from './client.ts';

/** A script that Redis knows by its digest, and is told once more when it has forgotten it (restart, failover, SCRIPT FLUSH). */
export class RedisScript {
  readonly #text: string;
  readonly #sha1: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha1 = createHash('sha1').update(text).digest('hex');
  }

  /** One round trip. Throws `limiter_unavailable`. */
  async run(client: RedisScriptClient, keys: string[], args: string[]): Promise<unknown> {
    const options = { keys, arguments: args };
    try {
      return await client.evalSha(this.#sha1, options);
    } catch (error) {
      if (!isNoScript(error)) throw unavailable(error);
    }
    try {
      return await client.eval(this.#text, options);
    } catch (error) {
      throw unavailable(error);
    }
  }
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function unavailable(cause: unknown): HoldfastError {
  const detail = `Redis did not run the script of the limiter: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new HoldfastError('limiter_unavailable', { detail, retryAfterSeconds: 1, cause });
}

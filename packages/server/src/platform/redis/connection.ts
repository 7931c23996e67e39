import type { RedisScriptArguments, RedisScriptClient } from '@holdfast/kit/ratelimit/redis';
import type { Clock, Random } from '@holdfast/kit/time';
import { redisCommandCompleted, redisStateChanged, type RedisCommandCompleted } from './announcements.ts';
import { redisUnavailable, type Client } from './client.ts';
import { RedisLink } from './link.ts';
import { createSubscriptions, type RedisSubscriptions } from './subscriptions.ts';

export interface OpenRedisOptions {
  /** `redis://` or `rediss://`, with user, password and number of the database. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Redis for all who share something through it. Kept up by itself: opening it never fails, and nobody waits for it. While it is away
 * every command rejects at once with `redis_unavailable`, and whoever uses it goes on without it.
 */
export interface RedisConnection {
  /** For the drivers of the kit. */
  readonly client: RedisScriptClient;
  /** On a connection of its own, made with the first subscription. */
  readonly subscriptions: RedisSubscriptions;
  readonly connected: boolean;
  /** Resolves when there is a connection, or when the first attempt at one has failed: in 2 s at most. */
  readonly settled: Promise<void>;
  /** Throws `redis_unavailable`. */
  ping(): Promise<void>;
  /** Ends both connections; commands under way reject. */
  close(): Promise<void>;
}

export function openRedis({ url, clock, random }: OpenRedisOptions): RedisConnection {
  let lostAt: number | undefined;
  const link = new RedisLink({
    url,
    clock,
    random,
    onChange(connected, error) {
      const now = clock.monotonic();
      const awayMs = connected && lostAt !== undefined ? now - lostAt : undefined;
      lostAt = connected ? undefined : now;
      redisStateChanged.publish({ connected, error, awayMs });
    },
  });
  const subscriptions = createSubscriptions({ url, clock, random });

  async function run<Reply>(name: RedisCommandCompleted['command'], command: (client: Client) => Promise<Reply>): Promise<Reply> {
    const { client } = link;
    if (!client) throw redisUnavailable('there is no connection to Redis');
    const startedAt = redisCommandCompleted.hasSubscribers ? clock.monotonic() : 0;
    try {
      const reply = await command(client);
      if (startedAt > 0) redisCommandCompleted.publish({ command: name, durationMs: clock.monotonic() - startedAt, outcome: 'completed' });
      return reply;
    } catch (error) {
      // A script that Redis does not have yet is answered so, and sent whole.
      const outcome = error instanceof Error && error.message.startsWith('NOSCRIPT') ? 'completed' : 'failed';
      if (startedAt > 0) redisCommandCompleted.publish({ command: name, durationMs: clock.monotonic() - startedAt, outcome });
      if (isReplica(error)) link.drop(error);
      throw error;
    }
  }

  return {
    client: {
      evalSha: (sha1: string, options: RedisScriptArguments) => run('evalsha', (client) => client.evalSha(sha1, options)),
      eval: (script: string, options: RedisScriptArguments) => run('eval', (client) => client.eval(script, options)),
    },
    subscriptions,
    get connected() {
      return link.client !== undefined;
    },
    settled: link.settled,
    async ping() {
      await run('ping', (client) => client.ping()).catch((error: unknown) => {
        throw redisUnavailable(`Redis does not answer: ${error instanceof Error ? error.message : String(error)}`, error);
      });
    },
    async close() {
      await subscriptions.close();
      await link.close();
    },
  };
}

/** After a failover the name leads to the new primary, and the connection still to the one that was. */
function isReplica(error: unknown): boolean {
  return error instanceof Error && /^(?:READONLY|UNBLOCKED|MASTERDOWN)\b/.test(error.message);
}

import { createHash } from 'node:crypto';
import type { RedisScriptArguments, RedisScriptClient } from '@holdfast/kit/ratelimit/redis';

/**
 * A client whose scripts see the time that the test gives them. Redis's own clock cannot be moved, and the scripts know no other: so
 * the one line that asks for it is replaced on the way, and nothing in them is there for tests.
 */
export function withScriptClock(client: RedisScriptClient, nowMs: () => number): RedisScriptClient {
  const texts = new Map<string, string>();
  const withTime = ({ keys, arguments: args }: RedisScriptArguments) => ({ keys, arguments: [...args, String(nowMs())] });
  return {
    evalSha(sha1, options) {
      const text = texts.get(sha1);
      // What Redis says to a script that it does not know: the driver then sends the text.
      if (text === undefined) return Promise.reject(new Error('NOSCRIPT No matching script.'));
      return client.eval(text, withTime(options));
    },
    eval(text, options) {
      const asks = "local time = redis.call('TIME')";
      if (text.split(asks).length > 2) throw new Error('a script is expected to ask for the time once');
      const given = 'local given = tonumber(ARGV[#ARGV])\nlocal time = { math.floor(given / 1000), given % 1000 * 1000 }';
      // Keys expire by the clock of Redis, which goes on while the test's stands still: on a slow machine too soon.
      const patched = text.replace(asks, given).replaceAll(/'PEXPIRE', (\w+), str\(/g, "'PEXPIRE', $1, str(3600000 + ");
      texts.set(createHash('sha1').update(text).digest('hex'), patched);
      return client.eval(patched, withTime(options));
    },
  };
}

import type { Random } from '../../../time/index.ts';
import { HoldfastError } from '../../../errors/index.ts';
import {
  listedFromShare,
  type BucketStatus,
  type BucketTake,
  type ListedBucket,
  type ListOptions,
  type Settlement,
  type TakeOutcome,
} from '../../driver.ts';
import { fullest } from '../../fullest.ts';
import type { SharedRateLimitDriver } from '../../local-share/index.ts';
import type { RedisScriptClient } from './client.ts';
import { instancesScript, listScript } from './list-script.ts';
import { policyArguments, readBucketName } from './policy-arguments.ts';
import { RedisScript } from './script.ts';
import { renewScript, settleScript } from './settle-script.ts';
import { takeScript } from './take-script.ts';

export interface RedisDriverOptions {
  /** Made, connected and closed by the caller. */
  readonly client: RedisScriptClient;
  /** For the names of leases. */
  readonly random: Random;
  /**
   * Begins every key, in braces, so that all keys are in one slot of a cluster: the step is atomic there too, and a cluster does not
   * scale it. Default `holdfast:ratelimit`.
   */
  readonly prefix?: string;
}

export const redisDriverDefaults = Object.freeze({ prefix: 'holdfast:ratelimit' });

const listed = String(listedFromShare);

const scripts = {
  take: new RedisScript(takeScript),
  settle: new RedisScript(settleScript),
  renew: new RedisScript(renewScript),
  list: new RedisScript(listScript),
  instances: new RedisScript(instancesScript),
};

/**
 * Buckets in Redis 6.2 or later, or Valkey, shared by all instances, on Redis's clock. Every method is one round trip, whatever the number of
 * buckets, and rejects with `limiter_unavailable` when Redis does not answer it. Throws `configuration_invalid`.
 */
export function createRedisDriver({ client, random, prefix = redisDriverDefaults.prefix }: RedisDriverOptions): SharedRateLimitDriver {
  if (prefix === '' || /[{}]/.test(prefix))
    throw new HoldfastError('configuration_invalid', { detail: `prefix must be a text without braces, not "${prefix}"` });
  const base = `{${prefix}}:`;
  const baseLength = String(Buffer.byteLength(base));
  const instances = `${base}instances`;
  const owner = random.bytes(12).toString('base64url');
  let leases = 0;

  async function decide(takes: readonly BucketTake[], commit: boolean): Promise<TakeOutcome> {
    const keys: string[] = [];
    const args = [commit ? '1' : '0', listed, baseLength];
    const leaseIds: string[] = [];
    for (const { policy, key, cost = 1 } of takes) {
      const { kind, flags, bucketPrefix, numbers } = policyArguments(policy);
      keys.push(base + bucketPrefix + key);
      args.push(flags, String(cost), numbers[0], numbers[1], numbers[2]);
      const lease = kind === 'c' && commit ? `${owner}-${++leases}` : '';
      leaseIds.push(lease);
      if (kind === 'c') args.push(lease);
    }
    return readOutcome(takes, leaseIds, (await scripts.take.run(client, keys, args)) as number[]);
  }

  return {
    take: (takes) => decide(takes, true),
    peek: (takes) => decide(takes, false),

    async settle(settlements: readonly Settlement[]) {
      const taken = settlements.filter(({ bucket }) => bucket.taken);
      if (taken.length === 0) return;
      const keys: string[] = [];
      const args = [listed, baseLength];
      for (const { bucket, actual } of taken) {
        const { kind, bucketPrefix, numbers } = policyArguments(bucket.policy);
        const mark = bucket.mark as string | readonly number[];
        const [lease, marks] = typeof mark === 'string' ? [mark, []] : ['', mark];
        keys.push(base + bucketPrefix + bucket.key);
        args.push(kind, String(bucket.cost), String(actual), ...numbers, lease);
        for (let at = 0; at < 4; at++) args.push(String(marks[at] ?? 0));
      }
      await scripts.settle.run(client, keys, args);
    },

    async renew(leased: readonly BucketStatus[]) {
      const held = leased.filter((bucket) => bucket.taken && bucket.policy.kind === 'concurrency');
      if (held.length === 0) return true;
      const keys: string[] = [];
      const args = [listed, baseLength];
      for (const { policy, key, mark } of held) {
        const { bucketPrefix, numbers } = policyArguments(policy);
        keys.push(base + bucketPrefix + key);
        args.push(mark as string, ...numbers);
      }
      return (await scripts.renew.run(client, keys, args)) === held.length;
    },

    async list(options?: ListOptions) {
      const reply = (await scripts.list.run(client, [`${base}hot`], [base])) as (string | number)[];
      const found: ListedBucket[] = [];
      for (let at = 0; at < reply.length; at += 4) {
        const [name, used, capacity, resetAfterMs] = reply.slice(at, at + 4) as [string, number, number, number];
        found.push({ ...readBucketName(name), used, capacity, resetAfterMs });
      }
      return fullest(found, options);
    },

    async reportInstance(instanceId, knownForMs) {
      return (await scripts.instances.run(client, [instances], [instanceId, String(knownForMs), '0'])) as number;
    },

    async forgetInstance(instanceId) {
      await scripts.instances.run(client, [instances], [instanceId, '1', '1']);
    },

    close() {},
  };
}

/** Numbers before the marks of each bucket. */
const fixedNumbers = 5;

function readOutcome(takes: readonly BucketTake[], leaseIds: readonly string[], reply: readonly number[]): TakeOutcome {
  let at = 2;
  const buckets = takes.map(({ policy, key, cost = 1 }, index): BucketStatus => {
    const { marks } = policyArguments(policy);
    const [refused, taken, remaining, resetAfterMs, retryAfterMs] = reply.slice(at, at + fixedNumbers) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const mark =
      policy.kind === 'concurrency' ? leaseIds[index] : marks > 0 ? reply.slice(at + fixedNumbers, at + fixedNumbers + marks) : undefined;
    at += fixedNumbers + marks;
    return {
      policy,
      key,
      cost,
      refused: refused === 1,
      taken: taken === 1,
      remaining: policy.limit === Number.POSITIVE_INFINITY ? policy.limit : remaining,
      resetAfterMs,
      retryAfterMs: retryAfterMs < 0 ? Number.POSITIVE_INFINITY : retryAfterMs,
      mark,
    };
  });
  return { allowed: reply[1] === 1, nowMs: reply[0]!, buckets };
}

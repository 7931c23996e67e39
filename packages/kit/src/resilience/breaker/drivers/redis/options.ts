import { systemClock, systemRandom, type Clock, type Random } from '../../../../time/index.ts';
import { checkKeys, checkNumber, optionFault } from '../../../check-options.ts';
import type { RedisBreakerClient, RedisBreakerSubscriptions } from './client.ts';

export interface RedisBreakerStoreNumbers {
  /** How often changes are asked for while nothing announces them, in milliseconds: how late an instance may hear of one. Default 500. */
  readonly pollMs: number;
  /** The same while they are announced: for what was lost on the way. Default 10,000. */
  readonly auditMs: number;
  /** Redis is taken for away when it has not answered by then, in milliseconds; whoever wants to probe waits for so long. Default 500. */
  readonly timeoutMs: number;
  /** How long a name is remembered after its last change, in milliseconds. Default 604,800,000, a week. */
  readonly keepMs: number;
  /** Names whose last change is remembered. Default 10,000. */
  readonly maxNames: number;
}

export interface RedisBreakerStoreOptions extends Partial<RedisBreakerStoreNumbers> {
  /** Made, connected and closed by the caller. */
  readonly client: RedisBreakerClient;
  /** Where changes are announced. Without it they are asked for every `pollMs`. */
  readonly subscriptions?: RedisBreakerSubscriptions | undefined;
  /** Begins every key, in braces, so that all keys are in one slot of a cluster, and the channel. Default `holdfast:breaker`. */
  readonly prefix?: string;
  readonly clock?: Clock;
  /** For the name of this instance in claims. */
  readonly random?: Random;
}

export const redisBreakerStoreDefaults: RedisBreakerStoreNumbers & { readonly prefix: string } = Object.freeze({
  prefix: 'holdfast:breaker',
  pollMs: 500,
  auditMs: 10_000,
  timeoutMs: 500,
  keepMs: 7 * 24 * 3_600_000,
  maxNames: 10_000,
});

export type RedisBreakerStoreSettings = Required<Omit<RedisBreakerStoreOptions, 'subscriptions'>> &
  Pick<RedisBreakerStoreOptions, 'subscriptions'>;

export function readRedisBreakerStoreOptions(options: RedisBreakerStoreOptions): RedisBreakerStoreSettings {
  checkKeys('createRedisBreakerStore', options, [...Object.keys(redisBreakerStoreDefaults), 'client', 'subscriptions', 'clock', 'random']);
  const { client, subscriptions, clock = systemClock, random = systemRandom } = options;
  const { prefix, pollMs, auditMs, timeoutMs, keepMs, maxNames } = { ...redisBreakerStoreDefaults, ...options };
  if (prefix === '' || /[{}]/.test(prefix)) throw optionFault('prefix', 'a text without braces', prefix);
  return {
    client,
    subscriptions,
    clock,
    random,
    prefix,
    pollMs: checkNumber('pollMs', pollMs, { min: 1 }),
    auditMs: checkNumber('auditMs', auditMs, { min: 1 }),
    timeoutMs: checkNumber('timeoutMs', timeoutMs, { min: 1 }),
    keepMs: checkNumber('keepMs', keepMs, { min: 1_000, whole: true }),
    maxNames: checkNumber('maxNames', maxNames, { min: 1, whole: true }),
  };
}

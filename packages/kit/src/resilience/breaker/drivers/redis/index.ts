export type { RedisBreakerArguments, RedisBreakerClient, RedisBreakerSubscriptions } from './client.ts';
export { redisBreakerStoreDefaults, type RedisBreakerStoreNumbers, type RedisBreakerStoreOptions } from './options.ts';
export { createRedisBreakerStore, type RedisBreakerStore } from './redis-store.ts';
export { createRedisSubscriptions, type RedisSubscriberClient } from './subscriptions.ts';

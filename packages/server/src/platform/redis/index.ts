export { redisListenerStateChanged, redisStateChanged, type RedisListenerStateChanged, type RedisStateChanged } from './announcements.ts';
export { openRedis, type OpenRedisOptions, type RedisConnection } from './connection.ts';
export type { RedisSubscriptions } from './subscriptions.ts';

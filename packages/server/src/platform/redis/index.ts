export {
  redisCommandCompleted,
  redisListenerStateChanged,
  redisStateChanged,
  type RedisCommandCompleted,
  type RedisListenerStateChanged,
  type RedisStateChanged,
} from './announcements.ts';
export { openRedis, type OpenRedisOptions, type RedisConnection } from './connection.ts';
export type { RedisSubscriptions } from './subscriptions.ts';

export type { RedisScriptArguments, RedisScriptClient } from './client.ts';
export { createRedisDriver, redisDriverDefaults, type RedisDriverOptions } from './redis-driver.ts';

import { HoldfastError } from '@holdfast/kit/errors';

export type Client = Awaited<ReturnType<typeof createRedisClient>>;

/**
 * A client for one connection: what is lost is lost, and whoever holds it makes another. The library's own reconnecting cannot be told
 * to give up a connection that is silent, and its back-off knows no clock but its own. Loaded here, since most servers run without it
 * and it costs 80 ms and 28 MB.
 */
export async function createRedisClient(url: string, connectTimeoutMs: number) {
  const { createClient } = await import('@redis/client');
  return createClient({
    url,
    disableOfflineQueue: true,
    // Refused by servers before 7.2, which is ignored, as a name for the connection would not be.
    clientInfoTag: 'holdfast',
    maintNotifications: 'disabled',
    socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
  });
}

export function redisUnavailable(detail: string, cause?: unknown): HoldfastError {
  return new HoldfastError('redis_unavailable', { detail, retryAfterSeconds: 1, ...(cause !== undefined && { cause }) });
}

import type { RedisBreakerSubscriptions } from '@holdfast/kit/resilience/redis';
import type { TestRedisClient } from '../../../../test/support/redis.ts';

/** A client that does nothing else, as the port of subscriptions. It subscribes again by itself when it was lost. */
export async function subscriptionsOf(client: TestRedisClient): Promise<RedisBreakerSubscriptions> {
  const listeners = new Map<string, Set<(message: string) => void>>();
  const states = new Set<(connected: boolean) => void>();
  const tell = (connected: boolean) => {
    for (const listener of states) listener(connected);
  };
  client.on('ready', () => tell(true));
  client.on('error', () => tell(false));
  // One for all, or the client would hear of channels only as they come.
  await client.pSubscribe('*', (message, channel) => {
    for (const listener of [...(listeners.get(channel) ?? [])]) listener(message);
  });
  return {
    get connected() {
      return client.isReady;
    },
    subscribe(channel, listener) {
      const own = (message: string) => listener(message);
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(own));
      return () => void listeners.get(channel)?.delete(own);
    },
    onStateChange(listener) {
      states.add(listener);
      return () => void states.delete(listener);
    },
  };
}

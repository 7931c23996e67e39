import type { RedisBreakerSubscriptions } from './client.ts';

type Listener = (message: string) => void;

/**
 * What is used of @redis/client, which subscribes again by itself when its connection was lost. It MUST do nothing else, since a
 * connection that listens takes no commands. The caller makes it, connects it and closes it.
 */
export interface RedisSubscriberClient {
  readonly isReady: boolean;
  subscribe(channel: string, listener: Listener): Promise<void>;
  unsubscribe(channel: string, listener: Listener): Promise<void>;
  on(event: 'ready' | 'error' | 'end', listener: () => void): unknown;
}

/** Announcements that come by a client of its own. */
export function createRedisSubscriptions(client: RedisSubscriberClient): RedisBreakerSubscriptions {
  const states = new Set<(connected: boolean) => void>();
  /** Asked for and not there yet, by their channels. */
  const missing = new Map<Listener, string>();
  let told = false;

  const isConnected = (): boolean => client.isReady && missing.size === 0;

  function look(): void {
    const connected = isConnected();
    if (connected === told) return;
    told = connected;
    for (const listener of [...states]) listener(connected);
  }

  function ask(channel: string, listener: Listener): void {
    // One that fails stays missing until the next connection: changes are asked for meanwhile.
    const arrived = (): void => {
      missing.delete(listener);
      look();
    };
    client.subscribe(channel, listener).then(arrived, () => {});
  }

  client.on('ready', () => {
    for (const [listener, channel] of missing) ask(channel, listener);
    look();
  });
  client.on('error', look);
  client.on('end', look);

  return {
    get connected() {
      return isConnected();
    },
    subscribe(channel, listener) {
      // Another function each time, so that whoever subscribes twice ends twice.
      const own: Listener = (message) => listener(message);
      missing.set(own, channel);
      look();
      ask(channel, own);
      return () => {
        missing.delete(own);
        client.unsubscribe(channel, own).catch(() => {});
      };
    },
    onStateChange(listener) {
      const own = (connected: boolean) => listener(connected);
      states.add(own);
      return () => void states.delete(own);
    },
  };
}

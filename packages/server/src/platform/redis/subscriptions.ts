import { HoldfastError } from '@holdfast/kit/errors';
import { redisListenerStateChanged } from './announcements.ts';
import { RedisLink, type LinkOptions } from './link.ts';

/**
 * Messages of Redis's channels, to whoever is there: what is published while `connected` is false is lost. A subscriber MUST poll
 * meanwhile, and once more when it turns true.
 */
export interface RedisSubscriptions {
  /** Returns the function that ends the subscription. */
  subscribe(channel: string, listener: (message: string) => void): () => void;
  /** Whether every message of every subscribed channel arrives from here on. */
  readonly connected: boolean;
  /** Called at each change of `connected`. Returns the function that ends the subscription. */
  onStateChange(listener: (connected: boolean) => void): () => void;
}

type Listener = (message: string) => void;

export function createSubscriptions(
  options: Pick<LinkOptions, 'url' | 'clock' | 'random'>,
): RedisSubscriptions & { close(): Promise<void> } {
  const channels = new Map<string, Set<Listener>>();
  const stateListeners = new Set<(connected: boolean) => void>();
  let link: RedisLink | undefined;
  let connected = false;
  let closed = false;

  let refused = false;

  function setConnected(next: boolean, error?: unknown): void {
    if (connected === next) return;
    connected = next;
    refused = false;
    redisListenerStateChanged.publish({ connected, error });
    for (const listener of [...stateListeners]) listener(connected);
  }

  const deliver = (message: string, channel: string): void => {
    for (const listener of [...(channels.get(channel) ?? [])]) listener(message);
  };

  /** Asks for every channel: one that is listened to already costs nothing. */
  async function listen(): Promise<void> {
    const client = link?.client;
    if (!client) return;
    const names = [...channels.keys()];
    try {
      await client.subscribe(names, deliver);
    } catch (error) {
      // A login that may not listen is refused each time: said once.
      if (!refused && !closed) redisListenerStateChanged.publish({ connected: false, error });
      refused = true;
      link?.drop(error);
      return;
    }
    // Another may have come meanwhile: who asked for it says when it is there.
    if (link?.client === client && [...channels.keys()].every((name) => names.includes(name))) setConnected(true);
  }

  return {
    get connected() {
      return connected;
    },
    subscribe(channel, listener) {
      if (closed) throw new HoldfastError('internal_error', { detail: 'subscribed to Redis after it was closed' });
      const listeners = channels.get(channel) ?? new Set();
      // An entry of its own, so that one function may be subscribed twice.
      const entry: Listener = (message) => listener(message);
      listeners.add(entry);
      if (!channels.has(channel)) {
        channels.set(channel, listeners);
        setConnected(false);
        if (link) void listen();
        else link = new RedisLink({ ...options, onChange: (up, error) => (up ? void listen() : setConnected(false, error)) });
      }
      return () => {
        listeners.delete(entry);
        if (listeners.size > 0 || channels.get(channel) !== listeners) return;
        // Redis is not told: what still arrives finds nobody, and the next connection does not ask for it.
        channels.delete(channel);
      };
    },
    onStateChange(listener) {
      const entry = (state: boolean) => listener(state);
      stateListeners.add(entry);
      return () => void stateListeners.delete(entry);
    },
    async close() {
      if (closed) return;
      closed = true;
      // Not announced: nobody is to act on the end that was asked for.
      connected = false;
      stateListeners.clear();
      await link?.close();
    },
  };
}

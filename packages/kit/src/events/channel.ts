import { channel as diagnosticsChannel } from 'node:diagnostics_channel';

/**
 * A typed announcement. Publishing costs nothing when nobody listens, is synchronous, and MUST NOT be relied upon:
 * an announcement may be lost, and a listener that throws never reaches the publisher. What must not be lost is a
 * durable stage, not an announcement.
 */
export interface EventChannel<Message extends object> {
  readonly name: string;
  /** Ask before building an expensive message. */
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (message: Message) => void): () => void;
}

/** Names are `holdfast:<module>:<noun>-<verb>`, so that a user can listen with `node:diagnostics_channel` alone. */
export function defineChannel<Message extends object>(name: `holdfast:${string}`): EventChannel<Message> {
  const channel = diagnosticsChannel(name);
  return {
    name,
    get hasSubscribers() {
      return channel.hasSubscribers;
    },
    publish(message) {
      if (channel.hasSubscribers) channel.publish(message);
    },
    subscribe(listener) {
      const onMessage = (message: unknown) => listener(message as Message);
      channel.subscribe(onMessage);
      return () => void channel.unsubscribe(onMessage);
    },
  };
}

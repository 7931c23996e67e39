import { channel as diagnosticsChannel } from 'node:diagnostics_channel';
import { handOnAnnouncements, LateListeners } from './late-listeners.ts';

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
  /**
   * The same for whoever has time: it hears of all messages of a turn of the event loop one after the other, at its end. For those that listen to
   * every request and write it down: off its path, and a half of the processor's time where several end in one turn. Ending the subscription
   * hands on what waits.
   */
  subscribeLate(listener: (message: Message) => void): () => void;
}

/** Names are `holdfast:<module>:<noun>-<verb>`, so that a user can listen with `node:diagnostics_channel` alone. */
export function defineChannel<Message extends object>(name: `holdfast:${string}`): EventChannel<Message> {
  const channel = diagnosticsChannel(name);
  const late = new LateListeners<Message>();
  const takeLate = (message: unknown) => late.take(message as Message);
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
    subscribeLate(listener) {
      const onMessage = (message: Message) => listener(message);
      late.add(onMessage);
      if (late.count === 1) channel.subscribe(takeLate);
      return () => {
        handOnAnnouncements();
        late.remove(onMessage);
        if (late.count === 0) channel.unsubscribe(takeLate);
      };
    },
  };
}

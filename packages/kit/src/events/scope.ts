import type { AsyncLocalStorage } from 'node:async_hooks';
import { channel as diagnosticsChannel } from 'node:diagnostics_channel';

/**
 * Work of which a listener wants to know what runs in it. Whoever does the work says so, and the listener brings the storage: while
 * nobody listens no asynchronous context exists and running costs one look.
 */
export interface EventScope<Message extends object> {
  readonly name: string;
  /** Somebody keeps a context for it. */
  readonly isHeard: boolean;
  /** Calls `work` in the context that the listener makes of the message, all that it awaits included. */
  run<Result>(message: Message, work: () => Result): Result;
  /** Keeps what `toStore` makes of the message for as long as the work runs. Returns the function that ends it. */
  bind<Store>(storage: AsyncLocalStorage<Store>, toStore: (message: Message) => Store): () => void;
}

/** Names as those of channels. */
export function defineScope<Message extends object>(name: `holdfast:${string}`): EventScope<Message> {
  const channel = diagnosticsChannel(name);
  return {
    name,
    get isHeard() {
      return channel.hasSubscribers;
    },
    run(message, work) {
      return channel.hasSubscribers ? channel.runStores(message, work) : work();
    },
    bind(storage, toStore) {
      channel.bindStore(storage as AsyncLocalStorage<unknown>, (message) => toStore(message as Message));
      return () => void channel.unbindStore(storage as AsyncLocalStorage<unknown>);
    },
  };
}

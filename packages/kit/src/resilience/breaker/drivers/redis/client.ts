/**
 * The two commands that are used, as @redis/client has them on clients, pools and sentinels. The caller makes the client, connects it
 * and closes it; set `disableOfflineQueue`, so that a lost connection is an error at once and no queue.
 */
export interface RedisBreakerClient {
  evalSha(sha1: string, options: RedisBreakerArguments): Promise<unknown>;
  eval(script: string, options: RedisBreakerArguments): Promise<unknown>;
}

export interface RedisBreakerArguments {
  keys: string[];
  arguments: string[];
}

/** Messages of Redis's channels on a connection of their own. What is published while `connected` is false is lost. */
export interface RedisBreakerSubscriptions {
  /** Returns the function that ends the subscription. */
  subscribe(channel: string, listener: (message: string) => void): () => void;
  readonly connected: boolean;
  /** Called at each change of `connected`. Returns the function that ends it. */
  onStateChange(listener: (connected: boolean) => void): () => void;
}

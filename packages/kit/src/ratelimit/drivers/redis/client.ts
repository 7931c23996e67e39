/**
 * The two commands that are used, as @redis/client has them on clients, pools, clusters and sentinels. The caller makes the client,
 * connects it and closes it; set `disableOfflineQueue`, so that a lost connection is an error at once and no queue.
 */
export interface RedisScriptClient {
  evalSha(sha1: string, options: RedisScriptArguments): Promise<unknown>;
  eval(script: string, options: RedisScriptArguments): Promise<unknown>;
}

export interface RedisScriptArguments {
  keys: string[];
  arguments: string[];
}

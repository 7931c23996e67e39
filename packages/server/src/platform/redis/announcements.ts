import { defineChannel } from '@holdfast/kit/events';

export interface RedisCommandCompleted {
  readonly command: 'evalsha' | 'eval' | 'ping';
  readonly durationMs: number;
  readonly outcome: 'completed' | 'failed';
}

/** Every command that reached a connection. One that finds none is refused at once, and not announced. */
export const redisCommandCompleted = defineChannel<RedisCommandCompleted>('holdfast:redis:command-completed');

export interface RedisStateChanged {
  readonly connected: boolean;
  /** Why it is lost, or could not be reached at all. */
  readonly error: unknown;
  /** How long it was away; undefined when it was not known before. */
  readonly awayMs: number | undefined;
}

/** Once for each loss and each return, however many attempts lie between. */
export const redisStateChanged = defineChannel<RedisStateChanged>('holdfast:redis:state-changed');

export interface RedisListenerStateChanged {
  readonly connected: boolean;
  readonly error: unknown;
}

/** Of the connection on which others announce their changes. While it is lost they are asked for. */
export const redisListenerStateChanged = defineChannel<RedisListenerStateChanged>('holdfast:redis:listener-changed');

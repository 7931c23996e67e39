import { defineChannel } from '@holdfast/kit/events';

export interface ForwardingIgnored {
  /** Whose connection it was. */
  readonly address: string;
}

/**
 * Somebody who is no trusted proxy sent a forwarding header with a request that was refused: a client that tries it, or a proxy that was
 * forgotten in the configuration, whose clients are then all one. Told once in the life of a process.
 */
export const forwardingIgnored = defineChannel<ForwardingIgnored>('holdfast:abuse:forwarding-ignored');

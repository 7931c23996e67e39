import { defineChannel } from '../events/index.ts';
import type { AlertTransition } from './engine/index.ts';

/** An alert fired, was resolved, or was acknowledged: told once, by the instance that wrote it. */
export const alertChanged = defineChannel<AlertTransition>('holdfast:alerts:alert-changed');

export interface AlertDelivered {
  readonly deliveryId: string;
  readonly channel: string;
  readonly rule: string;
  readonly kind: string;
  /** `retried`: it will be tried again. */
  readonly outcome: 'delivered' | 'retried' | 'failed';
  readonly attempts: number;
  /** A code of the error table. */
  readonly error: string | undefined;
}

/** One delivery was tried. */
export const alertDelivered = defineChannel<AlertDelivered>('holdfast:alerts:alert-delivered');

export interface AlertRuleUnread {
  readonly rule: string;
  readonly error: unknown;
}

/** The value of a rule could not be read: its alerts stay as they are until what was seen of them expires. */
export const alertRuleUnread = defineChannel<AlertRuleUnread>('holdfast:alerts:rule-unread');

export interface AlertStoreLost {
  readonly error: unknown;
}

/** The store cannot be reached: rules are evaluated in memory, and this instance tells for itself. Once an outage. */
export const alertStoreLost = defineChannel<AlertStoreLost>('holdfast:alerts:store-lost');

export interface AlertStoreRecovered {
  readonly awayMs: number;
}

export const alertStoreRecovered = defineChannel<AlertStoreRecovered>('holdfast:alerts:store-recovered');

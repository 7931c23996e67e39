import type { AlertDelivery, AlertNotificationKind } from './engine/index.ts';
import type { AlertSeverity } from './rules/index.ts';

/** Where alerts are told. */
export interface AlertChannel {
  /** In the configuration and in deliveries. */
  readonly name: string;
  /** `slack`, `pagerduty`, … for those who list them. */
  readonly kind: string;
  /** Hears of alerts of this severity and worse. */
  readonly minSeverity: AlertSeverity;
  /** What it can tell; what it cannot is not delivered to it. */
  readonly tells: readonly AlertNotificationKind[];
  /**
   * Resolves when the receiver has taken it. Rejects with a HoldfastError otherwise: `alert_channel_refused` when trying again is in vain. The same
   * delivery may come again, with the same id. MUST stop when the signal is aborted.
   */
  send(delivery: AlertDelivery, options: { readonly signal: AbortSignal }): Promise<void>;
  close?(): void | Promise<void>;
}

import type { Secret } from '../secret.ts';
import type { Settings } from '../settings.ts';
import type { AlertMetricName, AlertUnitName } from './alert-metrics.ts';

export type AlertSeverityName = 'info' | 'warning' | 'critical';

interface ChannelBase {
  readonly name: string;
  /** Hears of alerts of this severity and worse. */
  readonly minSeverity: AlertSeverityName;
}

export type AlertChannelConfiguration = ChannelBase &
  (
    | { readonly kind: 'slack'; readonly url: Secret }
    | { readonly kind: 'pagerduty'; readonly routingKey: Secret; readonly url: string | undefined }
    | { readonly kind: 'webhook'; readonly url: Secret; readonly secret: Secret }
    | { readonly kind: 'email'; readonly smtpUrl: Secret; readonly from: string; readonly to: readonly string[] }
  );

/** What a rule may say of itself; the rest comes from the rule of the package of that name, or from its metric. */
export interface AlertRuleConfiguration {
  readonly name: string;
  readonly metric: AlertMetricName;
  readonly bad: 'above' | 'below';
  readonly threshold: number;
  readonly resolveThreshold: number;
  readonly windowMs: number;
  readonly forMs: number;
  readonly resolveAfterMs: number;
  readonly minCount: number;
  readonly severity: AlertSeverityName;
  readonly labels: Readonly<Record<string, string>>;
  readonly where: Readonly<Record<string, string>>;
  readonly groupBy: readonly string[];
  readonly unit: AlertUnitName;
  readonly summary: string;
  readonly action: string;
  readonly look: readonly string[];
}

export type AlertConfiguration = Omit<Settings['alerts'], 'enabled'> & {
  /** What was said, or else whether there is a channel. */
  readonly enabled: boolean;
  readonly channels: readonly AlertChannelConfiguration[];
  readonly rules: readonly AlertRuleConfiguration[];
};

import type { PriceOverrides } from '@holdfast/kit/llm/pricing';
import type { AlertConfiguration } from './alerts/index.ts';
import type { ModelConfiguration } from './models/index.ts';
import type { Origin } from './origin.ts';
import type { ProviderConfiguration } from './providers/index.ts';
import type { RateLimitConfiguration } from './rate-limits/index.ts';
import type { Settings } from './settings.ts';

/** Everything that the server was told, validated and frozen through and through. */
export interface Configuration extends Omit<Settings, 'alerts'> {
  /** At least one; in the order of the file, then those of the environment. */
  readonly providers: readonly ProviderConfiguration[];
  readonly models: readonly ModelConfiguration[];
  readonly rateLimits: RateLimitConfiguration;
  readonly alerts: AlertConfiguration;
  /** The user's own prices, by kind of provider and model, in the shape that the kit's price book takes. */
  readonly prices: PriceOverrides;
  /** The file that was read, as it is shown; undefined when there was none. */
  readonly file: string | undefined;
  /** There is a file, and it says nothing. */
  readonly fileIsEmpty: boolean;
  /** Where each value came from, by the name of the setting: `server.port`, `providers.primary.baseUrl`. */
  readonly origins: Readonly<Record<string, Origin>>;
}

import { defineChannel } from '@holdfast/kit/events';
import type { Initiator } from '../../platform/audit/index.ts';
import type { ConfigurationFault, NameChanges } from './configuration-port.ts';

/** Who asked for a reload. */
export type ReloadRequester =
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'key'; readonly keyId: string; readonly organizationId: string; readonly initiator?: Initiator };

export interface ConfigurationReloaded {
  /** All whom this one reload answered. */
  readonly by: readonly ReloadRequester[];
  readonly result: 'applied' | 'unchanged';
  readonly changes: Readonly<Record<string, NameChanges>>;
  readonly restartRequired: readonly string[];
  /** Of what is in force now. */
  readonly digest: string;
  readonly durationMs: number;
}

export interface ConfigurationRejected {
  readonly by: readonly ReloadRequester[];
  readonly faults: readonly ConfigurationFault[];
}

/** A reload read the configuration, and what it says is in force. Names only, no value. */
export const configurationReloaded = defineChannel<ConfigurationReloaded>('holdfast:configuration:configuration-reloaded');
/** A reload found faults and changed nothing. */
export const configurationRejected = defineChannel<ConfigurationRejected>('holdfast:configuration:configuration-rejected');

import { defineChannel } from '@holdfast/kit/events';

/** An organization has a tier that the configuration does not know, and is counted as `basic`. Once for each name. */
export interface TierUnknown {
  readonly tier: string;
  readonly organizationId: string;
}
export const tierUnknown = defineChannel<TierUnknown>('holdfast:limits:tier-unknown');

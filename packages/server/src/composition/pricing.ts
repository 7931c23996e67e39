import type { Configuration } from '../config/index.ts';
import type { Pricing } from '../model/index.ts';

export function openPricing(_configuration: Configuration): Pricing {
  return { costNanoUsd: () => null };
}

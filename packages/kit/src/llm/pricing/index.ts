export { costNanoUsd, costParts, totalPicoUsd, type CostParts } from './cost.ts';
export { mostCostNanoUsd, type MostUse } from './most-cost.ts';
export {
  createPriceBook,
  type PriceBook,
  type PriceBounds,
  type PriceBookOptions,
  type PriceOverrides,
  type PriceQuestion,
} from './price-book.ts';
export type { ModelCost, ModelCostTier, ModelPriceEntry, ModelTokenLimit, PeakCost, PriceFile } from './price-file.ts';
export { freeOfCharge, type TokenPrices, type TokenRates } from './token-prices.ts';

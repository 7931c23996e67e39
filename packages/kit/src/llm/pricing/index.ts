export { costNanoUsd, costParts, totalPicoUsd, type CostParts } from './cost.ts';
export type { DatedPrice } from './dated-price.ts';
export { isSnapshotOf } from './model-family.ts';
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
export { freeOfCharge, readCost, type TokenPrices, type TokenRates } from './token-prices.ts';

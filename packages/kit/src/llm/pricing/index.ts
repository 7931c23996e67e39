export { costNanoUsd, costParts, totalPicoUsd, type CostParts } from './cost.ts';
export { createPriceBook, type PriceBook, type PriceBookOptions, type PriceOverrides, type PriceQuestion } from './price-book.ts';
export type { ModelCost, ModelCostTier, ModelPriceEntry, PeakCost, PriceFile } from './price-file.ts';
export { freeOfCharge, type TokenPrices, type TokenRates } from './token-prices.ts';

export { aboveField, priceFields, rateFields, sinceField } from './price-fields.ts';
export { fromPriceEntry } from './print-prices.ts';
export { readPrices } from './read-prices.ts';

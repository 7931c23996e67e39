export {
  callOutcome,
  priceId,
  usagePage,
  usageQuery,
  usageRow,
  type CallOutcomeName,
  type UsagePage,
  type UsageQuery,
  type UsageRow,
} from './usage.ts';

export {
  costEstimate,
  costGroup,
  costPage,
  costQuery,
  estimateCostRequest,
  type CostEstimate,
  type CostGroupName,
  type CostPage,
  type CostQuery,
  type CostRow,
  type EstimateCostRequest,
} from './costs.ts';

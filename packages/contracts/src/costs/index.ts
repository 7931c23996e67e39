export {
  costEstimate,
  costGroup,
  costPage,
  costQuery,
  costRow,
  estimateCostRequest,
  type CostEstimate,
  type CostGroupName,
  type CostPage,
  type CostQuery,
  type CostRow,
  type EstimateCostRequest,
} from './costs.ts';

export { reconcile, type ComparedModel, type ReconcileOptions, type ReconcileReport } from './reconcile.ts';

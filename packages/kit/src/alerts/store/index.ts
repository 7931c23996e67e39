export type { AlertDeliveryOutcome, AlertDeliveryQuery, AlertQuery, AlertStore, TakeDeliveriesOptions } from './alert-store.ts';
export { createMemoryAlertStore, type MemoryAlertStore, type MemoryAlertStoreOptions } from './memory-alert-store.ts';

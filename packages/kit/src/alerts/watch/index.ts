export { alertWatchDefaults, createAlertWatch, type AlertWatch, type AlertWatchNumbers, type AlertWatchOptions } from './alert-watch.ts';
export { courierDefaults, type CourierNumbers } from './courier.ts';
export type { AlertReader } from './read-samples.ts';

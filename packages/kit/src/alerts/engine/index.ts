export {
  emptyAlertBook,
  flapWindowMs,
  maxAlertsOfRule,
  maxAlertsTold,
  maxResolveAfterMs,
  noAlertChanges,
  type Alert,
  type AlertAcknowledgement,
  type AlertBook,
  type AlertChanges,
  type AlertDelivery,
  type AlertGroup,
  type AlertMatcher,
  type AlertNotification,
  type AlertNotificationKind,
  type AlertObservation,
  type AlertSilence,
  type AlertStatus,
} from './alert.ts';
export { applyChanges } from './apply.ts';
export { acknowledge, evaluate, type AlertReadings, type AlertTerms, type AlertTransition, type AlertUpdate } from './evaluate.ts';
export { alertFingerprint } from './fingerprint.ts';
export type { AlertRoute } from './notify.ts';
export { reunite, type LoneInstance } from './reunite.ts';
export { isSilenced } from './silence.ts';

export {
  auditBatchRefused,
  auditEventsRejected,
  auditEventsSequenced,
  auditSequencerElected,
  auditSequencerEnded,
  type AuditBatchRefused,
  type AuditEventsRejected,
  type AuditEventsSequenced,
  type AuditSequencerElected,
  type AuditSequencerEnded,
} from './events.ts';
export { rejectionReasons, type RejectionReason } from './rejection-reason.ts';
export { AuditSequencer, type SequencerOptions, type SequencerState } from './sequencer/index.ts';
export {
  createLogReader,
  openDatabaseSession,
  rotateLogKeys,
  type DatabaseSessionOptions,
  type LogKey,
  type LogReader,
  type LogState,
  type ProvedEvent,
  type RotatedKeys,
  type RotateKeysOptions,
  type RotationDetails,
} from './store/index.ts';

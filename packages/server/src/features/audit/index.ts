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
export { createAuditService, type AuditService, type AuditServiceOptions } from './audit-service.ts';
export type { AuditExport } from './export/index.ts';
export {
  checkpointPublishAttempted,
  createPublicationStore,
  folderPublisher,
  objectStorePublisher,
  publishCheckpoint,
  startPublishing,
  webhookPublisher,
  type CheckpointPublisher,
  type Publication,
  type PublishedCheckpoint,
} from './publish/index.ts';
export type { AuditScope } from './query/index.ts';
export { reportPage, type Retention } from './reports/index.ts';
export { auditRoutes, type AuditReading } from './routes.ts';
export { verifyDatabase, type DatabaseReport } from './verify/index.ts';

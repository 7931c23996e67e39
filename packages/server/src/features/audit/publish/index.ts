export type { CheckpointPublisher, PublishedCheckpoint } from './checkpoint-publisher.ts';
export { checkpointPublishAttempted, type CheckpointPublishAttempted } from './events.ts';
export { createPublicationStore, type PublicationStore } from './publication-store.ts';
export { publishCheckpoint, type Publication } from './publish-checkpoint.ts';
export { folderPublisher, objectStorePublisher, webhookPublisher } from './publishers.ts';
export { startPublishing, type Publishing } from './start-publishing.ts';

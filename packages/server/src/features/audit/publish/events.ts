import { defineChannel } from '@holdfast/kit/events';

export interface CheckpointPublishAttempted {
  /** `folder`, `webhook` or `object-store`. */
  readonly destination: string;
  readonly result: 'published' | 'unchanged' | 'failed';
  readonly size: number;
  readonly error: string | undefined;
}

/** A checkpoint of the audit log was to be published somewhere. */
export const checkpointPublishAttempted = defineChannel<CheckpointPublishAttempted>('holdfast:audit:checkpoint-publish-attempted');

import type { Clock } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { folderPublisher, objectStorePublisher, webhookPublisher, type CheckpointPublisher } from '../features/audit/index.ts';
import { createS3ObjectStore } from '../platform/objects/index.ts';
import { createStandardWebhook } from '../platform/webhooks/index.ts';

/** Where the configuration says that checkpoints of the audit log go. */
export function checkpointPublishers({ audit }: Pick<Configuration, 'audit'>, clock: Clock): CheckpointPublisher[] {
  const publishers: CheckpointPublisher[] = [];
  if (audit.publishFolder !== undefined) publishers.push(folderPublisher(audit.publishFolder));
  if (audit.publishWebhookUrl && audit.publishWebhookSecret) {
    const webhook = createStandardWebhook({ url: audit.publishWebhookUrl.reveal(), secret: audit.publishWebhookSecret.reveal(), clock });
    publishers.push(webhookPublisher(webhook, clock));
  }
  if (audit.publishBucketUrl !== undefined && audit.publishAccessKeyId && audit.publishSecretAccessKey) {
    const store = createS3ObjectStore({
      bucketUrl: audit.publishBucketUrl,
      region: audit.publishBucketRegion,
      credentials: { accessKeyId: audit.publishAccessKeyId.reveal(), secretAccessKey: audit.publishSecretAccessKey.reveal() },
      clock,
    });
    publishers.push(objectStorePublisher(store, audit.publishBucketPrefix));
  }
  return publishers;
}

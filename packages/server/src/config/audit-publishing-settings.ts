import { channelSecrets } from './channel-secrets.ts';
import type { SettingSection } from './setting.ts';
import { filePath, integer, text } from './value-types.ts';

const bucketUrl = text('an http or https URL of a bucket, without credentials and query', /^https?:\/\/[^\s/?#@\\]+(?:\/[^\s?#\\]*)?$/);

/** Part of `audit:` of the file: where checkpoints are published. */
export const auditPublishingSettings = {
  publishIntervalSeconds: {
    type: integer(60, 604_800),
    environment: 'HOLDFAST_AUDIT_PUBLISH_INTERVAL_SECONDS',
    default: 3_600,
    defaultText: '3600 (an hour)',
    description:
      'Seconds between two checkpoints of the audit log that are published, where there is a place for them. What happened since the last one could still be written again unseen by who has the database and the master key.',
  },
  publishFolder: {
    type: filePath('a path'),
    environment: 'HOLDFAST_AUDIT_PUBLISH_FOLDER',
    default: undefined,
    defaultText: 'none',
    description: 'Folder in which each checkpoint becomes a file: of a volume that is written once, or that others read.',
  },
  publishWebhookUrl: {
    secret: true,
    environment: 'HOLDFAST_AUDIT_PUBLISH_WEBHOOK_URL',
    ...channelSecrets.webhookUrl,
    description: 'Sends each checkpoint to an address of somebody else, signed; needs `publishWebhookSecret`.',
  },
  publishWebhookSecret: {
    secret: true,
    environment: 'HOLDFAST_AUDIT_PUBLISH_WEBHOOK_SECRET',
    ...channelSecrets.webhookSecret,
    description: 'What that is signed with, by the Standard Webhooks specification: `echo "whsec_$(openssl rand -base64 32)"`.',
  },
  publishBucketUrl: {
    type: bucketUrl,
    environment: 'HOLDFAST_AUDIT_PUBLISH_BUCKET_URL',
    default: undefined,
    defaultText: 'none',
    description:
      'Bucket of S3, or of what speaks as it does, that gets an object for each checkpoint: `https://bucket.s3.eu-central-1.amazonaws.com`, `https://minio.example.com/bucket`. Give it a lock on objects, and keys that may only put. Needs `publishAccessKeyId` and `publishSecretAccessKey`.',
  },
  publishBucketRegion: {
    type: text('a name', /^[a-z0-9-]{1,64}$/),
    environment: 'HOLDFAST_AUDIT_PUBLISH_BUCKET_REGION',
    default: 'us-east-1',
    description: 'Region of the bucket, which requests are signed for.',
  },
  publishBucketPrefix: {
    type: text('a path without a slash at its beginning', /^(?!\/)[\w!.*'()/-]{0,512}$/),
    environment: 'HOLDFAST_AUDIT_PUBLISH_BUCKET_PREFIX',
    default: 'holdfast-audit/',
    description: 'What the names of the objects begin with. Two logs in one bucket need two.',
  },
  publishAccessKeyId: {
    secret: true,
    environment: 'HOLDFAST_AUDIT_PUBLISH_ACCESS_KEY_ID',
    expected: '3 to 128 visible ASCII characters without spaces',
    accepts: (value: string) => /^[\x21-\x7e]{3,128}$/.test(value),
    description: 'Key id of who may put objects into that bucket.',
  },
  publishSecretAccessKey: {
    secret: true,
    environment: 'HOLDFAST_AUDIT_PUBLISH_SECRET_ACCESS_KEY',
    expected: '8 to 256 visible ASCII characters without spaces',
    accepts: (value: string) => /^[\x21-\x7e]{8,256}$/.test(value),
    description: 'The secret of that key.',
  },
} as const satisfies SettingSection;

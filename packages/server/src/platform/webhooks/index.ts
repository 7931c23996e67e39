export { createStandardWebhook, type StandardWebhookOptions } from './drivers/index.ts';
export type { SignedWebhook } from './signed-webhook.ts';

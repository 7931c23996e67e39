export { createStandardWebhook, type StandardWebhookOptions } from './standard-webhook.ts';

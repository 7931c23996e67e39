export type { ChannelOptions } from './channel-options.ts';
export { createPagerDutyChannel, pagerDutyUrl, type PagerDutyChannelOptions } from './pagerduty-channel.ts';
export { createSlackChannel, type SlackChannelOptions } from './slack-channel.ts';
export { createWebhookChannel, webhookKey, type WebhookChannelOptions } from './webhook-channel.ts';

export { createEmailChannel, type EmailChannelOptions } from './email-channel.ts';

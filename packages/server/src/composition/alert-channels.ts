import type { AlertChannel } from '@holdfast/kit/alerts';
import { createPagerDutyChannel, createSlackChannel, createWebhookChannel } from '@holdfast/kit/alerts/channels';
import { mask } from '@holdfast/kit/privacy';
import type { Clock, Random } from '@holdfast/kit/time';
import { readSmtpUrl, type AlertChannelConfiguration } from '../config/index.ts';
import { guardChannel } from '../features/alerts/index.ts';

/** The channels of the configuration, each under its own retry and breaker, and with personal data and secrets masked in what it tells. */
export function openAlertChannels(
  channels: readonly AlertChannelConfiguration[],
  options: { readonly clock: Clock; readonly random: Random },
): Promise<readonly AlertChannel[]> {
  return Promise.all(channels.map(async (channel) => guardChannel(await createChannel(channel, options.clock), options)));
}

async function createChannel(channel: AlertChannelConfiguration, clock: Clock): Promise<AlertChannel> {
  const { name, minSeverity } = channel;
  const common = { name, minSeverity, mask: (text: string) => mask(text) };
  switch (channel.kind) {
    case 'slack':
      return createSlackChannel({ ...common, url: channel.url.reveal() });
    case 'pagerduty':
      return createPagerDutyChannel({
        ...common,
        routingKey: channel.routingKey.reveal(),
        ...(channel.url !== undefined && { url: channel.url }),
      });
    case 'webhook':
      return createWebhookChannel({ ...common, url: channel.url.reveal(), secret: channel.secret.reveal(), clock });
    case 'email': {
      // With its library of forty modules, for those who have such a channel.
      const { createEmailChannel } = await import('@holdfast/kit/alerts/email');
      return createEmailChannel({ ...common, ...readSmtpUrl(channel.smtpUrl.reveal()), from: channel.from, to: channel.to });
    }
  }
}

import type { AlertChannel } from '@holdfast/kit/alerts';
import { createPagerDutyChannel, createSlackChannel, createWebhookChannel } from '@holdfast/kit/alerts/channels';
import { mask } from '@holdfast/kit/privacy';
import type { Clock, Random } from '@holdfast/kit/time';
import { readSmtpUrl, sameValue, type AlertChannelConfiguration } from '../config/index.ts';
import { guardChannel } from '../features/alerts/index.ts';

export interface ChannelOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/** Channels with what they were made of, so that a reload knows which of them stay. */
export interface OpenChannels {
  readonly list: readonly AlertChannel[];
  readonly of: readonly AlertChannelConfiguration[];
}

/** The channels of the configuration, each under its own retry and breaker, and with personal data and secrets masked in what it tells. Those of `before` that say the same are the same. */
export function openAlertChannels(of: readonly AlertChannelConfiguration[], options: ChannelOptions, before?: OpenChannels): OpenChannels {
  const list = of.map((channel) => {
    const same = before?.of.findIndex((each) => sameValue(each, channel)) ?? -1;
    return same >= 0 ? before!.list[same]! : guardChannel(createChannel(channel, options.clock), options);
  });
  return { list, of };
}

/** Loads what the channels need beyond what every server has: at the start, so that a library that is missing is found there. */
export async function loadForChannels(channels: readonly AlertChannelConfiguration[]): Promise<void> {
  if (channels.some(({ kind }) => kind === 'email')) await loadEmail();
}

/** With its library of forty modules, for those who have such a channel. */
const loadEmail = () => import('@holdfast/kit/alerts/email');

function createChannel(channel: AlertChannelConfiguration, clock: Clock): AlertChannel {
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
      let opened: Promise<AlertChannel> | undefined;
      const open = (): Promise<AlertChannel> =>
        (opened ??= loadEmail().then(({ createEmailChannel }) =>
          createEmailChannel({ ...common, ...readSmtpUrl(channel.smtpUrl.reveal()), from: channel.from, to: channel.to }),
        ));
      return {
        ...{ name, kind: 'email', minSeverity, tells: ['firing', 'resolved', 'acknowledged', 'test'] },
        send: async (delivery, how) => (await open()).send(delivery, how),
        close: async () => (await opened)?.close?.(),
      };
    }
  }
}

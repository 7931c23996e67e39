import type { AlertChannel } from '../../channel.ts';
import type { AlertNotification } from '../../engine/index.ts';
import { describeNotification } from '../../text/index.ts';
import { checkUrl, type ChannelOptions } from './channel-options.ts';
import { postJson } from './post-json.ts';

export interface SlackChannelOptions extends ChannelOptions {
  /** Of an incoming webhook: `https://hooks.slack.com/services/…`. Whoever has it can write there, so it is a secret. */
  readonly url: string;
}

/** Lengths beyond which Slack refuses a message: https://docs.slack.dev/reference/block-kit/blocks */
const maxHeader = 150;
const maxSection = 3_000;

/** A channel of Slack, by an incoming webhook. Slack knows no ids: a message that was taken and not confirmed comes twice. */
export function createSlackChannel({ name, url, minSeverity = 'info', mask }: SlackChannelOptions): AlertChannel {
  checkUrl('slack', url);
  return {
    name,
    kind: 'slack',
    minSeverity,
    tells: ['firing', 'resolved', 'acknowledged', 'test'],
    send: ({ notification }, { signal }) =>
      postJson({ receiver: 'slack', url, body: JSON.stringify(slackMessage(notification, mask)), signal }),
  };
}

export function slackMessage(notification: AlertNotification, mask?: (text: string) => string): object {
  const { title, sections } = describeNotification(notification, { ...(mask && { mask }) });
  return {
    // For notifications of phones, and those who read without eyes.
    text: escapeSlack(title),
    blocks: [
      // Plain text is shown as it is: what is escaped there would be seen.
      { type: 'header', text: { type: 'plain_text', text: cut(title, maxHeader), emoji: false } },
      ...sections.map(({ heading, lines }) => ({
        type: 'section',
        text: { type: 'mrkdwn', text: cut(`*${heading}*\n${lines.map((line) => escapeSlack(line)).join('\n')}`, maxSection) },
      })),
    ],
  };
}

/** The three characters that mean something to Slack: with them no text can call people (`<!channel>`) or hide where a link leads. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

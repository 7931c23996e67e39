import { showReceived } from '../faults.ts';
import { readField, refuseUnknownKeys } from '../fields.ts';
import { pathToText, type SettingPath } from '../file/index.ts';
import { nearestHint } from '../nearest.ts';
import { secretsFromFile } from '../read-secret.ts';
import type { Secret } from '../secret.ts';
import { secretKeys } from '../setting.ts';
import type { Settings } from '../settings.ts';
import { fileFault, isFileMap, type FileMap, type Sources } from '../sources.ts';
import type { AlertChannelConfiguration } from './alert-configuration.ts';
import { channelKinds, fromField, keysOfKinds, minSeverityField, toField, type AlertChannelKind } from './channel-fields.ts';
import { channelSecrets } from '../channel-secrets.ts';

const root = ['alerts', 'channels'] as const;
const namePattern = /^[a-z][a-z0-9-]{0,31}$/;
const maxChannels = 50;

/** Channels of the file, then those that single settings make, which are named after their kind. */
export function readChannels(sources: Sources, settings: Settings['alerts'], given: FileMap): readonly AlertChannelConfiguration[] {
  const channels: AlertChannelConfiguration[] = [];
  const entries = Object.entries(given);
  if (entries.length > maxChannels) fileFault(sources, root, `there are ${entries.length} channels, and ${maxChannels} at most may be.`);
  for (const [name, own] of entries.slice(0, maxChannels)) {
    const path = [...root, name];
    if (!namePattern.test(name))
      fileFault(sources, path, 'the name of a channel is made of small letters, digits and dashes, up to 32, and begins with a letter.');
    const channel = readChannel(sources, own, name);
    if (channel) channels.push(channel);
  }
  const names = new Set(Object.keys(given));
  for (const channel of channelsOfSettings(sources, settings)) {
    if (names.has(channel.name))
      sources.faults.add({
        where: sources.file?.where([...root, channel.name]) ?? 'configuration',
        setting: pathToText([...root, channel.name]),
        problem: `a channel of this name is made by a setting of alerts (${channel.kind}) too.`,
        hint: 'Give it another name, or keep one of them.',
      });
    else channels.push(channel);
  }
  return channels;
}

function readChannel(sources: Sources, given: unknown, channel: string): AlertChannelConfiguration | undefined {
  const path: SettingPath = [...root, channel];
  if (!isFileMap(given)) return void fileFault(sources, path, 'expected a map such as { kind: slack, urlEnv: SLACK_URL }.');
  const kind = given['kind'] as AlertChannelKind;
  if (!channelKinds.includes(kind)) {
    const hint = (typeof kind === 'string' ? nearestHint(kind, channelKinds) : undefined) ?? `Known kinds: ${channelKinds.join(', ')}.`;
    return void fileFault(sources, [...path, 'kind'], `there is no kind ${showReceived(kind)}.`, hint);
  }
  const known = ['kind', 'minSeverity', ...keysOfKinds[kind]];
  refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map: given, path, known });
  const base = {
    name: channel,
    minSeverity: readField(sources, given, path, 'minSeverity', minSeverityField) ?? (kind === 'pagerduty' ? 'critical' : 'info'),
  } as const;
  const secret = (name: string, check: keyof typeof channelSecrets): Secret | undefined => {
    const found = secretsFromFile(sources, given, path, name, channelSecrets[check], false)[0];
    if (!secretKeys(name).some((key) => given[key] !== undefined))
      fileFault(sources, path, `${name} is missing.`, `Add ${name}Env with the name of a variable.`);
    return found?.secret;
  };

  switch (kind) {
    case 'slack': {
      const url = secret('url', 'slackUrl');
      return url && { ...base, kind, url };
    }
    case 'pagerduty': {
      const routingKey = secret('routingKey', 'routingKey');
      const url = given['url'];
      if (url !== undefined && (typeof url !== 'string' || !channelSecrets.webhookUrl.accepts(url)))
        return void fileFault(sources, [...path, 'url'], `expected ${channelSecrets.webhookUrl.expected}.`);
      return routingKey && { ...base, kind, routingKey, url: url as string | undefined };
    }
    case 'webhook': {
      const url = secret('url', 'webhookUrl');
      const signing = secret('secret', 'webhookSecret');
      return url && signing && { ...base, kind, url, secret: signing };
    }
    case 'email': {
      const smtpUrl = secret('smtpUrl', 'smtpUrl');
      const from = readField(sources, given, path, 'from', fromField);
      const to = readField(sources, given, path, 'to', toField);
      if (given['from'] === undefined) fileFault(sources, path, 'from is missing: who sends these mails?');
      if (given['to'] === undefined || to?.length === 0) fileFault(sources, path, 'to is missing: who reads these mails?');
      return smtpUrl && from !== undefined && to !== undefined ? { ...base, kind, smtpUrl, from, to } : undefined;
    }
  }
}

function channelsOfSettings(sources: Sources, settings: Settings['alerts']): AlertChannelConfiguration[] {
  const { slackUrl, pagerdutyKey, webhookUrl, webhookSecret, smtpUrl, emailFrom, emailTo } = settings;
  const missing = (setting: string, hint: string): void =>
    sources.faults.add({
      where: sources.origins.get(setting)?.text ?? 'configuration',
      setting,
      problem: 'it is set, and what it needs beside it is not.',
      hint,
    });
  const channels: AlertChannelConfiguration[] = [];
  if (slackUrl) channels.push({ name: 'slack', kind: 'slack', minSeverity: 'info', url: slackUrl });
  if (pagerdutyKey)
    channels.push({ name: 'pagerduty', kind: 'pagerduty', minSeverity: 'critical', routingKey: pagerdutyKey, url: undefined });
  if (webhookUrl && webhookSecret)
    channels.push({ name: 'webhook', kind: 'webhook', minSeverity: 'info', url: webhookUrl, secret: webhookSecret });
  else if (webhookUrl)
    missing('alerts.webhookUrl', 'Set HOLDFAST_ALERTS_WEBHOOK_SECRET too; `echo "whsec_$(openssl rand -base64 32)"` makes one.');
  if (smtpUrl && emailFrom !== undefined && emailTo.length > 0)
    channels.push({ name: 'email', kind: 'email', minSeverity: 'info', smtpUrl, from: emailFrom, to: emailTo });
  else if (smtpUrl) missing('alerts.smtpUrl', 'Set HOLDFAST_ALERTS_EMAIL_FROM and HOLDFAST_ALERTS_EMAIL_TO too.');
  return channels;
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defineAlertRule } from '@holdfast/kit/alerts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfiguration, printConfiguration } from '../index.ts';
import { readSmtpUrl, smtpUrlFault } from '../smtp-url.ts';
import { defaultAlertRules } from './index.ts';

const slackUrl = 'https://hooks.slack.com/services/T0/B0/very-secret';
const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

function load(alerts: object | undefined, env: Record<string, string> = {}) {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-config-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  if (alerts) writeFileSync(path.join(cwd, 'holdfast.config.yaml'), JSON.stringify({ alerts }));
  return loadConfiguration({ env, cwd });
}

function faultsOf(alerts: object | undefined, env: Record<string, string> = {}): string[] {
  try {
    load(alerts, env);
  } catch (error) {
    return (error as { details: { faults: { setting?: string; problem: string }[] } }).details.faults.map(
      ({ setting, problem }) => `${setting}: ${problem}`,
    );
  }
  return [];
}

describe('channels', () => {
  test('there is none, and no alerts, until somebody names one', () => {
    expect(load(undefined).alerts).toMatchObject({ enabled: false, channels: [] });
    expect(load({ enabled: true }).alerts.enabled).toBe(true);
  });

  test('one address in the environment is enough', () => {
    const { alerts } = load(undefined, { HOLDFAST_ALERTS_SLACK_URL: slackUrl });
    expect(alerts).toMatchObject({ enabled: true, channels: [{ name: 'slack', kind: 'slack', minSeverity: 'info' }] });
    expect(load({ enabled: false }, { HOLDFAST_ALERTS_SLACK_URL: slackUrl }).alerts.enabled).toBe(false);
  });

  test('of every kind, from the environment and the file', () => {
    const { channels } = load(
      {
        channels: {
          team: { kind: 'slack', url: slackUrl, minSeverity: 'warning' },
          night: { kind: 'pagerduty', routingKeyEnv: 'PD_KEY', url: 'https://events.eu.pagerduty.com/v2/enqueue' },
          hook: { kind: 'webhook', url: 'https://example.com/x', secret: webhookSecret },
          mail: { kind: 'email', smtpUrl: 'smtps://u:p@mail.example.com', from: 'Holdfast <a@example.com>', to: ['b@example.com'] },
        },
      },
      {
        PD_KEY: 'R'.repeat(32),
        HOLDFAST_ALERTS_PAGERDUTY_KEY: 'S'.repeat(32),
        HOLDFAST_ALERTS_WEBHOOK_URL: 'http://127.0.0.1:9/hook',
        HOLDFAST_ALERTS_WEBHOOK_SECRET: webhookSecret,
        HOLDFAST_ALERTS_SMTP_URL: 'smtp://localhost:25?tls=none',
        HOLDFAST_ALERTS_EMAIL_FROM: 'a@example.com',
        HOLDFAST_ALERTS_EMAIL_TO: 'b@example.com, Boss <c@example.com>',
      },
    ).alerts;
    expect(channels.map(({ name, kind, minSeverity }) => `${name} ${kind} ${minSeverity}`)).toEqual([
      'team slack warning',
      'night pagerduty critical',
      'hook webhook info',
      'mail email info',
      'pagerduty pagerduty critical',
      'webhook webhook info',
      'email email info',
    ]);
    expect(channels.at(-1)).toMatchObject({ from: 'a@example.com', to: ['b@example.com', 'Boss <c@example.com>'] });
  });

  test('all of their faults are told at once, and no secret with them', () => {
    const faults = faultsOf(
      {
        channels: {
          'No Name': { kind: 'slack', url: slackUrl },
          fax: { kind: 'fax' },
          empty: { kind: 'slack' },
          hook: { kind: 'webhook', url: 'ftp://secret-1', secret: 'whsec_secret-2', colour: 'red' },
          mail: { kind: 'email', smtpUrl: 'smtp://user:secret-3@host/path', from: 'a@example.com\nBcc: x@example.com', to: [] },
          text: 'slack',
          slack: { kind: 'slack', url: slackUrl },
        },
      },
      {
        HOLDFAST_ALERTS_SLACK_URL: slackUrl,
        HOLDFAST_ALERTS_WEBHOOK_URL: 'https://example.com',
        HOLDFAST_ALERTS_SMTP_URL: 'smtp://localhost',
      },
    );
    expect(faults).toEqual([
      expect.stringMatching(/No Name.*small letters/),
      expect.stringMatching(/fax\.kind: there is no kind "fax"/),
      expect.stringMatching(/empty: url is missing/),
      expect.stringMatching(/hook\.colour: there is no setting colour/),
      expect.stringMatching(/hook\.url: expected an http or https URL/),
      expect.stringMatching(/hook\.secret: expected `whsec_`/),
      expect.stringMatching(/mail\.smtpUrl: expected `smtp:/),
      expect.stringMatching(/mail\.from: expected a mail address/),
      expect.stringMatching(/mail: to is missing/),
      expect.stringMatching(/text: expected a map/),
      expect.stringMatching(/webhookUrl: it is set, and what it needs/),
      expect.stringMatching(/smtpUrl: it is set, and what it needs/),
      expect.stringMatching(/slack: a channel of this name is made by a setting/),
    ]);
    expect(faults.join()).not.toMatch(/secret-\d|very-secret/);
  });
});

describe('rules', () => {
  test('of the package are sound, by the measure of the kit', () => {
    for (const rule of defaultAlertRules) {
      expect(() => defineAlertRule(rule)).not.toThrow();
      expect(rule.action, rule.name).not.toBe('');
      expect(rule.look.at(-1)).toBe(`docs/guides/alerts.md#${rule.name}`);
    }
  });

  test('of the package are changed in part, taken out, and joined by those of the file', () => {
    const { rules } = load({
      rules: {
        'error-rate': { above: 0.1, labels: { team: 'search' } },
        disk: false,
        'slow-gpt': {
          metric: 'model_latency_seconds',
          above: 20,
          resolveAt: 10,
          where: { model: 'gpt' },
          groupBy: ['model'],
          summary: 'Slow.',
        },
        'daily-spend': { metric: 'spend_usd', above: 500, windowMs: 86_400_000, summary: 'Dear.' },
      },
    }).alerts;
    const byName = new Map(rules.map((rule) => [rule.name, rule]));
    expect(rules).toHaveLength(defaultAlertRules.length + 1);
    expect(byName.get('error-rate')).toMatchObject({
      threshold: 0.1,
      resolveThreshold: 0.1,
      minCount: 20,
      severity: 'critical',
      labels: { team: 'search' },
    });
    expect(byName.has('disk')).toBe(false);
    expect(byName.get('slow-gpt')).toMatchObject({
      bad: 'above',
      threshold: 20,
      resolveThreshold: 10,
      unit: 'seconds',
      where: { model: 'gpt' },
    });
    for (const rule of rules) expect(() => defineAlertRule(rule)).not.toThrow();
  });

  test('all of their faults are told at once', () => {
    expect(
      faultsOf({
        rules: {
          'No Name': { above: 1 },
          nothing: {},
          both: { metric: 'ledger_queue', above: 1, below: 2, summary: 'x' },
          metric: { metric: 'weather', above: 1, summary: 'x' },
          hysteresis: { metric: 'ledger_queue', above: 1, resolveAt: 2, summary: 'x' },
          labels: { metric: 'ledger_queue', above: 1, summary: 'x', groupBy: ['model'], where: { colour: 1 } },
          'error-rate': { treshold: 1 },
          disk: true,
          window: { metric: 'error_ratio', above: 1, windowMs: 86_400_000, summary: 'x' },
        },
      }),
    ).toEqual([
      expect.stringMatching(/No Name.*small letters/),
      expect.stringMatching(/nothing: metric is missing/),
      expect.stringMatching(/nothing: it has no threshold/),
      expect.stringMatching(/nothing: summary is missing/),
      expect.stringMatching(/both: above and below/),
      expect.stringMatching(/metric\.metric: expected one of/),
      expect.stringMatching(/hysteresis\.resolveAt: it is above the threshold/),
      expect.stringMatching(/labels\.where: expected a map of labels/),
      expect.stringMatching(/labels: values of ledger_queue have no label model/),
      expect.stringMatching(/error-rate\.treshold: there is no setting treshold/),
      expect.stringMatching(/disk: expected a map such as/),
      expect.stringMatching(/window\.windowMs: .* kept for an hour/),
    ]);
  });
});

test('what is printed reads as what is in force, and holds no secret', () => {
  const rules = {
    'error-rate': { above: 0.1 },
    disk: false,
    own: { metric: 'spend_usd', above: 5, summary: 'Dear.', labels: { team: 'a' } },
  };
  const channels = {
    team: { kind: 'slack', url: slackUrl },
    mail: { kind: 'email', smtpUrl: 'smtp://u:very-secret@h', from: 'a@example.com', to: ['b@example.com'] },
  };
  const configuration = load({ rules, channels });
  const printed = printConfiguration(configuration);
  expect(printed).toMatch(/disk: false/);
  expect(printed).toMatch(/above: 0\.1/);
  expect(printed).not.toContain('very-secret');
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-config-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const secrets = printed
    .replaceAll(/# url: \(set\)/g, `url: ${slackUrl}`)
    .replaceAll(/# smtpUrl: \(set\)/g, 'smtpUrl: smtp://u:very-secret@h');
  writeFileSync(path.join(cwd, 'holdfast.config.yaml'), secrets.replaceAll('.holdfast', '/tmp/x'));
  const again = loadConfiguration({ env: {}, cwd });
  expect(again.alerts.rules).toEqual(expect.arrayContaining([...configuration.alerts.rules]));
  expect(again.alerts.rules).toHaveLength(configuration.alerts.rules.length);
});

test.each([
  ['smtp://mail.example.com', { host: 'mail.example.com', port: 587, security: 'starttls' }],
  [
    'smtps://u%40x:p%3Aw@mail.example.com',
    { host: 'mail.example.com', port: 465, security: 'tls', auth: { user: 'u@x', password: 'p:w' } },
  ],
  ['smtp://[::1]:2525?tls=none', { host: '::1', port: 2525, security: 'none' }],
])('the mail server %s', (text, server) => {
  expect(smtpUrlFault(text)).toBeUndefined();
  expect(readSmtpUrl(text)).toEqual(server);
});

test.each(['mail.example.com', 'http://x', 'smtp://x/path', 'smtps://x?tls=none', 'smtp://x?tls=none&a=b', 'smtp://%zz@x'])(
  '%s is no mail server',
  (text) => expect(smtpUrlFault(text)).toBeDefined(),
);

import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { testDelivery, type Alert, type AlertChannel, type AlertDelivery, type AlertNotification } from '@holdfast/kit/alerts';
import { createPagerDutyChannel, createSlackChannel, createWebhookChannel } from '@holdfast/kit/alerts/channels';
import { systemClock } from '@holdfast/kit/time';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

let received: Received[];
let answer: { status: number; headers?: Record<string, string> } | 'silent' | 'cut';
let url: string;
beforeEach(async () => {
  received = [];
  answer = { status: 200 };
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      received.push({ path: request.url!, headers: request.headers, text });
      if (answer === 'cut') request.socket.destroy();
      else if (answer !== 'silent') response.writeHead(answer.status, answer.headers).end('secret words of the receiver');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/T000-secret`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
});

const atMs = Date.UTC(2026, 10, 20, 3, 12, 30);

const alert: Alert = {
  ...{
    id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
    fingerprint: 'f',
    rule: 'api-errors',
    labels: { model: '<!channel> & co' },
    severity: 'critical',
  },
  ...{ unit: 'ratio', groupKey: 'g', status: 'firing', sinceMs: atMs - 60_000, firedMs: atMs, resolvedMs: null, clearMs: null },
  ...{ resolveAfterMs: 60_000, value: 0.12, threshold: 0.05, bad: 'above', acknowledged: null },
};

function deliveryOf(fields: Partial<AlertNotification> = {}): AlertDelivery {
  return {
    ...testDelivery({ id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e11', channel: 'c', deployment: 'production', nowMs: atMs }),
    notification: {
      ...{
        kind: 'firing',
        cause: 'fired',
        rule: 'api-errors',
        dedupKey: 'production/0123',
        deployment: 'production',
        severity: 'critical',
        atMs,
      },
      ...{ summary: 'Requests fail.', action: 'Ask.', look: ['GET /api/alerts'], alerts: [alert], count: 1 },
      ...fields,
    },
  };
}

const send = (channel: AlertChannel, fields: Partial<AlertNotification> = {}): Promise<void> =>
  channel.send(deliveryOf(fields), { signal: new AbortController().signal });

/** As far as we use it: https://docs.slack.dev/reference/block-kit/blocks, with Slack's limits. */
const slackSchema = z.strictObject({
  text: z.string().min(1).max(40_000),
  blocks: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('header'),
          text: z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(150), emoji: z.boolean() }),
        }),
        z.strictObject({
          type: z.literal('section'),
          text: z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(3_000) }),
        }),
      ]),
    )
    .min(1)
    .max(50),
});

/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
const pagerDutySchema = z.discriminatedUnion('event_action', [
  z.strictObject({
    routing_key: z.string().length(32),
    event_action: z.literal('trigger'),
    dedup_key: z.string().min(1).max(255),
    client: z.string().optional(),
    payload: z.strictObject({
      summary: z.string().min(1).max(1_024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime(),
      component: z.string(),
      class: z.string(),
      custom_details: z.record(z.string(), z.unknown()),
    }),
  }),
  z.strictObject({
    routing_key: z.string().length(32),
    event_action: z.enum(['acknowledge', 'resolve']),
    dedup_key: z.string().min(1).max(255),
  }),
]);

describe('Slack', () => {
  test('is sent blocks in its limits, in which no text can call people', async () => {
    await send(createSlackChannel({ name: 'c', url }));
    const message = slackSchema.parse(JSON.parse(received[0]!.text));
    expect(received[0]).toMatchObject({ path: '/hook/T000-secret', headers: { 'content-type': 'application/json' } });
    expect(message.text).toBe('[FIRING] critical: Requests fail. [production]');
    expect(message.blocks.find(({ text }) => text.text.startsWith('*How bad*'))?.text.text).toBe(
      '*How bad*\n12 % (above 5 %) model=&lt;!channel&gt; &amp; co',
    );
    expect(received[0]!.text).not.toContain('<!channel>');
  });

  test('of a great many alerts with long names is within its limits too', async () => {
    const alerts = Array.from({ length: 20 }, () => ({ ...alert, labels: { model: 'x'.repeat(1_000) } }));
    await send(createSlackChannel({ name: 'c', url }), { alerts, summary: 'y'.repeat(5_000) });
    slackSchema.parse(JSON.parse(received[0]!.text));
  });
});

describe('PagerDuty', () => {
  const routingKey = 'R0123456789abcdef0123456789abcde';
  const events = () => received.map(({ text }) => pagerDutySchema.parse(JSON.parse(text)));

  test('is triggered, acknowledged and resolved under one key', async () => {
    const channel = createPagerDutyChannel({ name: 'c', url, routingKey });
    answer = { status: 202 };
    await send(channel);
    await send(channel, { kind: 'acknowledged', cause: null });
    await send(channel, { kind: 'resolved', cause: null });
    expect(events().map(({ event_action, dedup_key }) => [event_action, dedup_key])).toEqual([
      ['trigger', 'production/0123'],
      ['acknowledge', 'production/0123'],
      ['resolve', 'production/0123'],
    ]);
    expect(events()[0]).toMatchObject({
      payload: {
        summary: '[FIRING] critical: Requests fail. [production]',
        severity: 'critical',
        timestamp: '2026-11-20T03:11:30.000Z',
        class: 'api-errors',
      },
    });
  });

  test('a test is an incident of its own that is over at once', async () => {
    const channel = createPagerDutyChannel({ name: 'c', url, routingKey });
    await channel.send(testDelivery({ id: 'id-1', channel: 'c', deployment: 'production', nowMs: atMs }), {
      signal: new AbortController().signal,
    });
    expect(events().map(({ event_action, dedup_key }) => [event_action, dedup_key])).toEqual([
      ['trigger', 'production/test/id-1'],
      ['resolve', 'production/test/id-1'],
    ]);
    expect(events()[0]).toMatchObject({ payload: { summary: expect.stringContaining('[TEST]'), severity: 'info' } });
  });
});

describe('a signed webhook', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

  test('is verified by the library of the specification, and refused when a byte was changed', async () => {
    await send(createWebhookChannel({ name: 'c', url, secret }));
    const [{ text, headers }] = received as [Received];
    expect(headers['webhook-id']).toBe('019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e11');
    const webhook = new Webhook(secret);
    const body = webhook.verify(text, headers as Record<string, string>) as { type: string; data: { alerts: unknown[] } };
    expect(body).toMatchObject({
      type: 'alert.firing',
      timestamp: '2026-11-20T03:12:30.000Z',
      data: { rule: 'api-errors', severity: 'critical', deployment: 'production', group: 'production/0123', count: 1 },
    });
    expect(body.data.alerts).toMatchObject([
      { id: alert.id, status: 'firing', value: 0.12, threshold: 0.05, fired_at: '2026-11-20T03:12:30.000Z' },
    ]);
    expect(() => webhook.verify(text.replace('critical', 'Critical'), headers as Record<string, string>)).toThrow(/No matching signature/);
    const other = new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`);
    expect(() => other.verify(text, headers as Record<string, string>)).toThrow(/No matching signature/);
  });

  test('that is too old is refused by the library', async () => {
    await send(createWebhookChannel({ name: 'c', url, secret, clock: { ...systemClock, now: () => atMs } }));
    expect(() => new Webhook(secret).verify(received[0]!.text, received[0]!.headers as Record<string, string>)).toThrow(/too old/);
  });

  test.each(['', 'whsec_', 'whsec_c2hvcnQ=', `whsec_${Buffer.alloc(65).toString('base64')}`, Buffer.alloc(32).toString('base64')])(
    'with a secret that is none (%j) is refused at construction, without showing it',
    (bad) => {
      const make = () => createWebhookChannel({ name: 'c', url, secret: bad });
      expect(make).toThrow(/whsec_ and 24 to 64 bytes/);
      if (bad.length > 6) expect(make).not.toThrow(bad);
    },
  );
});

describe('every channel over HTTP', () => {
  const failure = (channel: AlertChannel, signal = new AbortController().signal): Promise<any> =>
    channel.send(deliveryOf(), { signal }).then(
      () => expect.fail('it was sent'),
      (error: unknown) => error,
    );

  test.each([
    [500, 'alert_channel_failed'],
    [503, 'alert_channel_failed'],
    [429, 'alert_channel_failed'],
    [408, 'alert_channel_failed'],
    [400, 'alert_channel_refused'],
    [403, 'alert_channel_refused'],
    [404, 'alert_channel_refused'],
    [410, 'alert_channel_refused'],
    [301, 'alert_channel_refused'],
    [307, 'alert_channel_refused'],
  ])('%i is %s, and neither address nor answer are in the error', async (status, code) => {
    answer = { status, headers: { 'retry-after': '7', location: 'http://169.254.169.254/latest/meta-data' } };
    const error = await failure(createSlackChannel({ name: 'c', url }));
    expect(error).toMatchObject({ code, message: `slack answered ${status}` });
    expect(error.retryAfterSeconds).toBe(code === 'alert_channel_failed' ? 7 : undefined);
    expect(received).toHaveLength(1);
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toMatch(/T000-secret|secret words/);
  });

  test('a receiver that breaks off, or is not there, may be tried again', async () => {
    answer = 'cut';
    expect(await failure(createSlackChannel({ name: 'c', url }))).toMatchObject({
      code: 'alert_channel_failed',
      message: 'slack: UND_ERR_SOCKET',
    });
    expect(await failure(createSlackChannel({ name: 'c', url: 'http://127.0.0.1:9/T000-secret' }))).toMatchObject({
      code: 'alert_channel_failed',
      message: expect.not.stringContaining('secret'),
    });
  });

  test('one that takes it and is silent is left when the signal says so', async () => {
    answer = 'silent';
    const controller = new AbortController();
    const failed = failure(createSlackChannel({ name: 'c', url }), controller.signal);
    while (received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await failed).toMatchObject({ code: 'alert_channel_failed' });
  });

  test.each(['nonsense', 'ftp://example.com/x', 'https://user:password@example.com/x'])(
    '%s is refused as an address, without showing it',
    (bad) => {
      for (const make of [
        () => createSlackChannel({ name: 'c', url: bad }),
        () => createPagerDutyChannel({ name: 'c', url: bad, routingKey: 'r' }),
        () => createWebhookChannel({ name: 'c', url: bad, secret: `whsec_${Buffer.alloc(32).toString('base64')}` }),
      ]) {
        expect(make).toThrow(/must be an http or https URL/);
        expect(make).not.toThrow(bad);
      }
    },
  );
});

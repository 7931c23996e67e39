import { z } from 'zod';
import { pageOf, pageQuery, timestamp, uuid } from './common/index.ts';

export const alertSeverity = z.enum(['info', 'warning', 'critical']).meta({ id: 'AlertSeverity' });
export const alertStatus = z
  .enum(['pending', 'firing', 'resolved'])
  .meta({ id: 'AlertStatus', description: '`pending`: the condition holds, not yet for long enough.' });

const example = {
  id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
  rule: 'error-rate',
  labels: {},
  severity: 'critical',
  status: 'firing',
  since: '2026-11-20T03:11:30.000Z',
  fired_at: '2026-11-20T03:12:30.000Z',
  resolved_at: null,
  value: 0.123,
  threshold: 0.05,
  bad: 'above',
  unit: 'ratio',
  acknowledged_at: null,
  acknowledged_by: null,
  acknowledgement_note: null,
} as const;

const labels = z.record(z.string(), z.string()).meta({ description: 'What the value is of.' });
const note = z
  .string()
  .max(500)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');

export const alert = z
  .object({
    id: uuid.meta({ description: 'Of this time that the condition holds; the next is another alert.' }),
    rule: z.string().meta({ examples: [example.rule] }),
    labels,
    severity: alertSeverity,
    status: alertStatus,
    since: timestamp.meta({ description: 'Since when the condition holds.' }),
    fired_at: timestamp.nullable(),
    resolved_at: timestamp.nullable(),
    value: z.number().meta({ description: 'The last bad value, of the instance where it was worst.' }),
    threshold: z.number(),
    bad: z.enum(['above', 'below']),
    unit: z.string().meta({ description: '`seconds`, `ratio`, `count`, `usd`, `days` or `flag`.' }),
    acknowledged_at: timestamp.nullable(),
    acknowledged_by: z.string().nullable().meta({ description: 'The id of the key with which it was acknowledged.' }),
    acknowledgement_note: z.string().nullable(),
  })
  .meta({ id: 'Alert', description: 'A time that the condition of a rule holds, or held.', examples: [example] });

export const alertPage = pageOf(alert).meta({ id: 'AlertPage', description: 'A page of alerts, newest first.' });
export const listAlertsQuery = z.strictObject({
  ...pageQuery.shape,
  status: alertStatus.optional(),
  rule: z.string().max(63).optional(),
  severity: alertSeverity.optional(),
});
export const alertParams = z.object({ id: uuid });
export const acknowledgeAlertRequest = z
  .strictObject({ note: note.nullish().meta({ description: 'Who takes it up, and how.', examples: ['Ada: on it'] }) })
  .meta({ id: 'AcknowledgeAlertRequest', examples: [{ note: 'Ada: on it' }] });

export const alertRule = z
  .object({
    name: z.string(),
    metric: z.string(),
    bad: z.enum(['above', 'below']),
    threshold: z.number(),
    resolve_threshold: z.number().meta({ description: 'A firing alert is over on this side of it.' }),
    window_ms: z.number(),
    for_ms: z.number(),
    resolve_after_ms: z.number(),
    min_count: z.int().meta({ description: 'Values out of fewer observations are not judged.' }),
    severity: alertSeverity,
    labels,
    where: labels,
    group_by: z.array(z.string()),
    unit: z.string(),
    summary: z.string(),
    action: z.string(),
    look: z.array(z.string()),
  })
  .meta({
    id: 'AlertRule',
    examples: [
      {
        name: 'error-rate',
        metric: 'error_ratio',
        bad: 'above',
        threshold: 0.05,
        resolve_threshold: 0.03,
        window_ms: 300_000,
        for_ms: 60_000,
        resolve_after_ms: 60_000,
        min_count: 20,
        severity: 'critical',
        labels: {},
        where: {},
        group_by: [],
        unit: 'ratio',
        summary: 'Requests fail.',
        action: 'Find the code that most of them have.',
        look: ['GET /health/circuit-breakers'],
      },
    ],
  });

/** There are few, so they come in one piece. */
export const alertRules = z
  .object({
    enabled: z.boolean().meta({ description: 'False: rules are not looked at.' }),
    interval_ms: z.number(),
    channels: z.array(z.object({ name: z.string(), kind: z.string(), min_severity: alertSeverity })),
    data: z.array(alertRule),
    next_cursor: z.null(),
  })
  .meta({ id: 'AlertRules' });

const matcher = z.strictObject({
  label: z
    .string()
    .min(1)
    .max(63)
    .meta({ description: 'A label, `rule` or `severity`.', examples: ['rule'] }),
  value: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: 'What it has to be; with `*` at the end what it has to begin with.', examples: ['disk*'] }),
});

const silenceExample = {
  id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e12',
  matchers: [{ label: 'rule', value: 'disk*' }],
  starts_at: '2026-11-20T03:00:00.000Z',
  ends_at: '2026-11-20T05:00:00.000Z',
  reason: 'the disk is being replaced',
  created_by: null,
} as const;

export const alertSilence = z
  .object({
    id: uuid,
    matchers: z.array(matcher),
    starts_at: timestamp,
    ends_at: timestamp,
    reason: z.string(),
    created_by: z.string().nullable().meta({ description: 'The id of the key with which it was made.' }),
  })
  .meta({
    id: 'AlertSilence',
    description: 'Alerts that all of the matchers fit are not told. They fire all the same.',
    examples: [silenceExample],
  });

export const alertSilencePage = pageOf(alertSilence).meta({ id: 'AlertSilencePage' });
export const listAlertSilencesQuery = z.strictObject({ ...pageQuery.shape });
export const createAlertSilenceRequest = z
  .strictObject({
    matchers: z.array(matcher).min(1).max(20),
    starts_at: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: 'Default: now.', examples: ['2026-11-20T03:00:00Z'] }),
    ends_at: z.iso.datetime({ offset: true }).meta({
      description: 'At most 366 days from now: what is silent for ever is better switched off.',
      examples: ['2026-11-20T05:00:00Z'],
    }),
    reason: note.min(1).meta({ description: 'Why, for those who wonder.', examples: ['the disk is being replaced'] }),
  })
  .meta({
    id: 'CreateAlertSilenceRequest',
    examples: [{ matchers: [{ label: 'rule', value: 'disk*' }], ends_at: '2026-11-20T05:00:00Z', reason: 'the disk is being replaced' }],
  });

export const alertDeliveryStatus = z.enum(['pending', 'delivered', 'failed']).meta({ id: 'AlertDeliveryStatus' });

export const alertDelivery = z
  .object({
    id: uuid.meta({ description: 'The same at each try: webhooks have it as `webhook-id`.' }),
    channel: z.string(),
    rule: z.string(),
    kind: z.enum(['firing', 'resolved', 'acknowledged', 'test']),
    status: alertDeliveryStatus,
    attempts: z.int(),
    created_at: timestamp,
    next_try_at: timestamp.nullable(),
    finished_at: timestamp.nullable(),
    last_error: z.string().nullable().meta({ description: 'A code of the error table.' }),
  })
  .meta({
    id: 'AlertDelivery',
    examples: [
      {
        id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e11',
        channel: 'slack',
        rule: 'error-rate',
        kind: 'firing',
        status: 'delivered',
        attempts: 1,
        created_at: '2026-11-20T03:12:30.000Z',
        next_try_at: null,
        finished_at: '2026-11-20T03:12:31.000Z',
        last_error: null,
      },
    ],
  });

export const alertDeliveryPage = pageOf(alertDelivery).meta({ id: 'AlertDeliveryPage' });
export const listAlertDeliveriesQuery = z.strictObject({
  ...pageQuery.shape,
  status: alertDeliveryStatus.optional(),
  channel: z.string().max(32).optional(),
});

export const testAlertsRequest = z
  .strictObject({
    channel: z
      .string()
      .max(32)
      .optional()
      .meta({ description: 'Default: every channel.', examples: ['slack'] }),
  })
  .meta({ id: 'TestAlertsRequest', examples: [{ channel: 'slack' }] });

export const alertTestResults = z
  .object({
    data: z.array(
      z.object({
        channel: z.string(),
        kind: z.string(),
        delivered: z.boolean(),
        error: z.string().nullable().meta({ description: 'A code of the error table.' }),
        detail: z.string().nullable().meta({ description: 'What happened, without addresses and keys.' }),
      }),
    ),
    next_cursor: z.null(),
  })
  .meta({ id: 'AlertTestResults' });

export type AlertBody = z.infer<typeof alert>;
export type AlertPage = z.infer<typeof alertPage>;
export type AlertRulesBody = z.infer<typeof alertRules>;
export type AlertRuleBody = z.infer<typeof alertRule>;
export type AlertSilenceBody = z.infer<typeof alertSilence>;
export type AlertSilencePage = z.infer<typeof alertSilencePage>;
export type AlertDeliveryBody = z.infer<typeof alertDelivery>;
export type AlertDeliveryPage = z.infer<typeof alertDeliveryPage>;
export type AlertTestResultsBody = z.infer<typeof alertTestResults>;
export type ListAlertsQuery = z.infer<typeof listAlertsQuery>;
export type ListAlertDeliveriesQuery = z.infer<typeof listAlertDeliveriesQuery>;
export type CreateAlertSilenceRequest = z.infer<typeof createAlertSilenceRequest>;
export type AcknowledgeAlertRequest = z.infer<typeof acknowledgeAlertRequest>;

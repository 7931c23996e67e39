import { z } from 'zod';
import { pageOf, pageQuery, requestId, timestamp, uuid } from './common/index.ts';

const example = {
  index: 81_204,
  id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
  number: 1_733,
  at: '2026-11-20T09:33:28.114Z',
  type: 'key.created',
  outcome: 'success',
  organization_id: '019a9c5a-0000-7000-8000-000000000001',
  actor: { type: 'key', id: '019a9c5a-0000-7000-8000-000000000002' },
  resource: { type: 'key', id: '019a9c5a-0000-7000-8000-000000000003' },
  request_id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e0f',
  client: { ip: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' },
  details: { scopes: ['inference'] },
} as const;

const eventType = z
  .string()
  .max(64)
  .meta({ examples: ['key.created'] });
export const auditOutcome = z.enum(['success', 'failure', 'denied', 'interrupted']).meta({ id: 'AuditOutcome' });
const identifier = z.string().min(1).max(300);
const numberOfEvent = z.int().positive();

const eventFields = {
  index: z.int().nonnegative().meta({ description: 'Its place in the log, from 0.' }),
  id: uuid,
  number: numberOfEvent.meta({ description: 'In the series of its organization, or of the instance: from 1, without gaps.' }),
  at: timestamp.meta({ description: 'When it happened.' }),
  type: eventType.meta({ description: 'What happened: the page on audit events lists them.' }),
  outcome: auditOutcome,
  organization_id: uuid.nullable().meta({ description: 'null: of the instance, and of no organization.' }),
  actor: z
    .object({ type: z.enum(['key', 'user', 'operator', 'system', 'anonymous']), id: z.string().optional(), user_id: z.string().optional() })
    .meta({ description: 'Who did it.' }),
  resource: z.object({ type: z.string(), id: z.string().optional() }).nullable().meta({ description: 'What it was done to.' }),
  request_id: requestId.optional(),
  client: z
    .object({ ip: z.string().optional(), user_agent: z.string().optional() })
    .optional()
    .meta({ description: 'References: what they stand for is in `personal`, for as long as it was not erased.' }),
  details: z.record(z.string(), z.unknown()).optional(),
};

export const auditEvent = z
  .object({
    ...eventFields,
    personal: z
      .record(z.string(), z.object({ kind: z.string(), value: z.string() }))
      .optional()
      .meta({ description: 'What references in the event stand for, when that was asked for.' }),
  })
  .meta({ id: 'AuditEvent', description: 'What happened, at its place in the log.', examples: [example] });

export const auditEventPage = pageOf(auditEvent).meta({
  id: 'AuditEventPage',
  description:
    'A page of events, the last in the log first. For one page the server goes through 20,000 events at most, so that it may hold fewer than `limit`, even none, while `next_cursor` says where to go on.',
});

const yes = z.enum(['true', 'false']).transform((word) => word === 'true');
const period = {
  from: timestamp.optional(),
  to: timestamp.optional().meta({ description: 'Before this time.' }),
};
const ofWhom = {
  organization_id: z
    .union([uuid, z.literal('instance')])
    .optional()
    .meta({ description: 'Whose events: for operators alone, who see all without it. `instance`: those of no organization.' }),
};
const personal = {
  personal: yes
    .optional()
    .meta({ description: 'Whether to tell what references stand for: addresses, user agents, names.', examples: ['true'] }),
};
const inOrder = (query: { readonly from?: string | undefined; readonly to?: string | undefined }): boolean =>
  query.from === undefined || query.to === undefined || Date.parse(query.from) <= Date.parse(query.to);
const outOfOrder = { path: ['to'], message: '`to` must not be before `from`' };

/** Filters of `GET /api/audit/events`; all that are given must hold. */
export const auditEventsQuery = z
  .strictObject({
    ...pageQuery.shape,
    ...period,
    ...ofWhom,
    type: eventType.optional().meta({ description: 'A type, or the beginning of several: `key.*`.', examples: ['key.*'] }),
    outcome: auditOutcome.optional(),
    actor_id: identifier.optional().meta({ description: 'Who did it: mostly the id of a key.' }),
    user_id: uuid.optional().meta({ description: 'The person behind it.' }),
    resource_type: z.string().max(64).optional(),
    resource_id: identifier.optional(),
    request_id: z.string().max(300).optional(),
    ...personal,
  })
  .refine(inOrder, outOfOrder);
export const auditEventParams = z.object({ id: uuid });

const activityCount = z.object({ type: eventType, outcome: auditOutcome, events: z.int(), last_at: timestamp });

export const auditActivity = z
  .object({
    subject: z.object({ type: z.enum(['user', 'organization']), id: z.string() }),
    from: timestamp,
    to: timestamp,
    events: z.int(),
    by_type: z.array(activityCount).meta({ description: 'The most frequent first.' }),
    by_actor: z
      .array(z.object({ actor_type: z.string(), actor_id: z.string().nullable(), events: z.int(), last_at: timestamp }))
      .meta({ description: 'The 100 that did the most.' }),
    by_day: z
      .array(z.object({ day: z.iso.date(), events: z.int(), not_successful: z.int() }))
      .meta({ description: 'Days in UTC with an event.' }),
  })
  .meta({
    id: 'AuditActivity',
    description: 'What a user or an organization did, in numbers. The events themselves are in `GET /api/audit/events`.',
  });
export const auditActivityQuery = z
  .strictObject({
    from: timestamp.optional().meta({ description: 'Default: 30 days before `to`.' }),
    to: timestamp.optional().meta({ description: 'Default: now.' }),
    ...ofWhom,
  })
  .refine(inOrder, outOfOrder);

export const auditKeys = z
  .object({
    origin: z.string().meta({ description: 'The name of the log, which every checkpoint has.', examples: ['holdfast.example/log'] }),
    data: z.array(
      z.object({
        verifier_key: z.string().meta({ description: 'Public: keep it where nobody can change it unseen.' }),
        kind: z.enum(['ed25519', 'mlDsa44']),
        created_at: timestamp,
        from_size: z.int().meta({ description: 'Size of the log from which on it signs.' }),
        to_size: z.int().nullable().meta({ description: 'Size of the last checkpoint that it signed; null while it signs.' }),
      }),
    ),
  })
  .meta({ id: 'AuditKeys', description: 'The public keys of the log.' });

export const auditConsistency = z
  .object({
    from: z.int(),
    to: z.int(),
    proof: z.array(z.string()).meta({ description: 'Hashes in base64, in the order of RFC 6962.' }),
  })
  .meta({ id: 'AuditConsistency', description: 'That the log of one size is the beginning of that of another.' });
export const auditConsistencyQuery = z.strictObject({
  from: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(0)
    .meta({ description: 'Size of the one that you kept.', examples: [0] }),
  to: z.coerce.number().int().nonnegative().optional().meta({ description: 'Default: the last checkpoint.' }),
});

export const auditExportQuery = z
  .strictObject({
    format: z
      .enum(['jsonl', 'csv'])
      .default('jsonl')
      .meta({ description: '`jsonl` verifies by itself; `csv` is for spreadsheets, and proves nothing.' }),
    ...ofWhom,
    from: timestamp.optional().meta({ description: 'Begin with the first event of this time.' }),
    to: timestamp.optional().meta({ description: 'End with the first checkpoint that was signed then or later. Default: the last one.' }),
    first_number: z.coerce
      .number()
      .int()
      .positive()
      .optional()
      .meta({ description: 'Begin with this number: that after the last that you have.' }),
    stop: z
      .string()
      .regex(/^\d{1,15}(?:,\d{1,15}){0,31}$/)
      .optional()
      .meta({ description: 'Sizes of checkpoints that you kept, with commas between them: the export can then be compared with them.' }),
    ...personal,
  })
  .refine(inOrder, outOfOrder);

export const auditReportName = z.enum(['access-review', 'security-incidents', 'personal-data']).meta({ id: 'AuditReportName' });
export const auditReportParams = z.object({ name: auditReportName });
export const auditReportQuery = z
  .strictObject({
    from: timestamp.optional().meta({ description: 'Default: 90 days before `to`.' }),
    to: timestamp.optional().meta({ description: 'Default: now.' }),
    ...ofWhom,
  })
  .refine(inOrder, outOfOrder);

export const auditReport = z
  .object({
    report: auditReportName,
    title: z.string(),
    organization_id: z.string().nullable().meta({ description: 'null: of the whole instance.' }),
    from: timestamp,
    to: timestamp,
    generated_at: timestamp,
    checkpoint: z.string().nullable().meta({ description: 'The last one of the log when the report was made; null before the first.' }),
    sections: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        text: z.string().meta({ description: 'How it is to be read.' }),
        columns: z.array(z.object({ id: z.string(), title: z.string() })),
        rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
        more: z.boolean().meta({ description: 'Whether there were more rows than a report holds.' }),
      }),
    ),
  })
  .meta({ id: 'AuditReport', description: 'A report for those who have to answer for something.' });

export const auditPublications = z
  .object({
    data: z.array(
      z.object({
        destination: z.string().meta({ examples: ['object-store'] }),
        size: z.int().meta({ description: 'Of the checkpoint that was published last.' }),
        published_at: timestamp.nullable(),
        tried_at: timestamp,
        error: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'AuditPublications', description: 'Where checkpoints are published, and which one was the last.' });

export type AuditEventBody = z.infer<typeof auditEvent>;
export type AuditEventPage = z.infer<typeof auditEventPage>;
export type AuditEventsQuery = z.infer<typeof auditEventsQuery>;
export type AuditActivityBody = z.infer<typeof auditActivity>;
export type AuditActivityQuery = z.infer<typeof auditActivityQuery>;
export type AuditKeysBody = z.infer<typeof auditKeys>;
export type AuditConsistencyBody = z.infer<typeof auditConsistency>;
export type AuditConsistencyQuery = z.infer<typeof auditConsistencyQuery>;
export type AuditExportQuery = z.infer<typeof auditExportQuery>;
export type AuditReportName = z.infer<typeof auditReportName>;
export type AuditReportQuery = z.infer<typeof auditReportQuery>;
export type AuditReportBody = z.infer<typeof auditReport>;
export type AuditPublicationsBody = z.infer<typeof auditPublications>;

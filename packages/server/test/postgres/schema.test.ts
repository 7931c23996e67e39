import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Schema } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** Types of the catalog, `?` for nullable. The compiler demands every table and column of `Schema` here, and no other. */
const columns: { readonly [Table in keyof Schema]: { readonly [Column in keyof Schema[Table]]: string } } = {
  'identity.user': {
    id: 'uuid',
    name: 'text',
    email: 'text',
    emailVerified: 'bool',
    image: 'text?',
    createdAt: 'timestamptz',
    updatedAt: 'timestamptz',
  },
  'identity.organization': {
    id: 'uuid',
    name: 'text',
    slug: 'text',
    logo: 'text?',
    metadata: 'text?',
    createdAt: 'timestamptz',
    tier: 'text',
  },
  'identity.member': { id: 'uuid', organizationId: 'uuid', userId: 'uuid', role: 'text', createdAt: 'timestamptz' },
  'identity.invitation': {
    ...{
      id: 'uuid',
      organizationId: 'uuid',
      email: 'text',
      role: 'text?',
      status: 'text',
      expiresAt: 'timestamptz',
      createdAt: 'timestamptz',
    },
    inviterId: 'uuid',
  },
  'identity.session': {
    ...{ id: 'uuid', userId: 'uuid', token: 'text', expiresAt: 'timestamptz', ipAddress: 'text?', userAgent: 'text?' },
    ...{ activeOrganizationId: 'uuid?', createdAt: 'timestamptz', updatedAt: 'timestamptz' },
  },
  'identity.account': {
    ...{ id: 'uuid', userId: 'uuid', accountId: 'text', providerId: 'text', accessToken: 'text?', refreshToken: 'text?', idToken: 'text?' },
    ...{ accessTokenExpiresAt: 'timestamptz?', refreshTokenExpiresAt: 'timestamptz?', scope: 'text?', password: 'text?' },
    ...{ createdAt: 'timestamptz', updatedAt: 'timestamptz' },
  },
  'identity.verification': {
    id: 'uuid',
    identifier: 'text',
    value: 'text',
    expiresAt: 'timestamptz',
    createdAt: 'timestamptz',
    updatedAt: 'timestamptz',
  },
  'holdfast.api_keys': {
    ...{ id: 'uuid', organization_id: 'uuid', user_id: 'uuid?', name: 'text', prefix: 'text', hash: 'bytea', hash_key_version: 'int4' },
    ...{ scopes: '_text', allowed_models: '_text?', created_at: 'timestamptz', created_by_key_id: 'uuid?', expires_at: 'timestamptz?' },
    ...{ revoked_at: 'timestamptz?', replaced_by: 'uuid?', last_used_at: 'timestamptz?' },
    ...{ requests_per_minute: 'int4?', tokens_per_minute: 'int4?', concurrent: 'int4?' },
  },
  'holdfast.key_changes': { key_id: 'uuid', changed_in: 'xid8', changed_at: 'timestamptz' },
  'holdfast.metric_minutes': { minute: 'timestamptz', source: 'uuid', instance: 'text', record: 'json' },
  'holdfast.request_log': {
    ...{ id: 'uuid', at: 'timestamptz', instance: 'text', request_id: 'text', trace_id: 'text?', call_id: 'uuid?' },
    ...{ organization_id: 'uuid?', key_id: 'uuid?', user_id: 'uuid?', method: 'text', route: 'text?', status: 'int4' },
    ...{ error_code: 'text?', latency_ms: 'float8', request_bytes: 'int8', response_bytes: 'int8' },
    ...{ request_content: 'text?', response_content: 'text?' },
  },
  'holdfast.alerts': {
    ...{
      id: 'uuid',
      fingerprint: 'text',
      rule: 'text',
      labels: 'jsonb',
      severity: 'text',
      unit: 'text',
      group_key: 'text',
      status: 'text',
    },
    ...{ since_at: 'timestamptz', fired_at: 'timestamptz?', resolved_at: 'timestamptz?', clear_at: 'timestamptz?' },
    ...{ resolve_after_ms: 'int8', value: 'float8', threshold: 'float8', bad: 'text', acknowledged: 'jsonb?' },
  },
  'holdfast.alert_observations': {
    ...{ fingerprint: 'text', instance: 'text', rule: 'text', labels: 'jsonb', value: 'float8', expires_at: 'timestamptz' },
  },
  'holdfast.alert_groups': { key: 'text', rule: 'text', told: '_uuid', told_at: 'timestamptz', channels: '_text' },
  'holdfast.alert_silences': {
    ...{ id: 'uuid', matchers: 'jsonb', starts_at: 'timestamptz', ends_at: 'timestamptz', created_by: 'text?', reason: 'text' },
  },
  'holdfast.alert_deliveries': {
    ...{ id: 'uuid', channel: 'text', group_key: 'text', notification: 'jsonb', status: 'text', attempts: 'int4' },
    ...{
      created_at: 'timestamptz',
      next_try_at: 'timestamptz',
      finished_at: 'timestamptz?',
      last_error: 'text?',
      leased_until: 'timestamptz?',
    },
  },
  'holdfast.audit_inbox': { seq: 'int8', id: 'uuid', organization_id: 'uuid?', arrived_at: 'timestamptz', body: 'text' },
  'holdfast.audit_log': {
    ...{ index: 'int8', id: 'uuid', organization_id: 'uuid?', number: 'int8', at: 'timestamptz', type: 'text', outcome: 'text' },
    ...{ actor_type: 'text', actor_id: 'text?', user_id: 'uuid?', resource_type: 'text?', resource_id: 'text?', request_id: 'text?' },
    ...{ leaf: 'text' },
  },
  'holdfast.audit_nodes': { level: 'int2', index: 'int8', root: 'bytea', hashes: 'bytea' },
  'holdfast.audit_state': {
    ...{ only_row: 'bool', log_id: 'uuid', epoch: 'int8', size: 'int8', root: 'bytea', tail: 'bytea', first_index: 'int8' },
  },
  'holdfast.audit_series': { organization_id: 'uuid', last_number: 'int8', removed_number: 'int8' },
  'holdfast.audit_checkpoints': { size: 'int8', note: 'text', at: 'timestamptz' },
  'holdfast.audit_keys': {
    ...{ verifier_key: 'text', kind: 'text', created_at: 'timestamptz', from_size: 'int8', to_size: 'int8?', sealed_private_key: 'bytea?' },
  },
  'holdfast.audit_rejected': { seq: 'int8', id: 'uuid', organization_id: 'uuid?', reason: 'text', body: 'text', at: 'timestamptz' },
  'holdfast.audit_personal': {
    ...{ ref: 'text', organization_id: 'uuid?', kind: 'text', tag: 'bytea', salt: 'bytea', sealed: 'bytea', created_at: 'timestamptz' },
  },
  'holdfast.audit_publications': {
    ...{ destination: 'text', size: 'int8', published_at: 'timestamptz?', tried_at: 'timestamptz', error: 'text?' },
  },
  'holdfast.bans': {
    ...{ range: 'text', reason: 'text', source: 'text', banned_at: 'timestamptz', ends_at: 'timestamptz?', repeats: 'int4' },
    ...{ banned_by: 'text?', note: 'text?', lifted: 'bool', revision: 'int8', changed_in: 'xid8', changed_at: 'timestamptz' },
  },
  'holdfast.budgets': {
    ...{ id: 'uuid', organization_id: 'uuid', name: 'text', subject: 'text', subject_ids: '_uuid', period: 'text', limit_nano: 'int8' },
    ...{ enforcement: 'text', created_at: 'timestamptz', deleted_at: 'timestamptz?', changed_in: 'xid8', changed_at: 'timestamptz' },
  },
  'holdfast.budget_windows': {
    ...{ budget_id: 'uuid', organization_id: 'uuid', period_start: 'timestamptz', period_end: 'timestamptz?', closed_nano: 'int8' },
    ...{ told_percent: 'int4', refused_at: 'timestamptz?' },
  },
  'holdfast.budget_slices': {
    ...{ budget_id: 'uuid', organization_id: 'uuid', period_start: 'timestamptz', instance_id: 'uuid', version: 'int8' },
    ...{
      granted_nano: 'int8',
      spent_nano: 'int8',
      reserved_nano: 'int8',
      counted_from: 'timestamptz',
      closed: 'bool',
      updated_at: 'timestamptz',
    },
  },
  'holdfast.instances': { id: 'uuid', started_at: 'timestamptz', seen_at: 'timestamptz' },
  'holdfast.settings': { key: 'text', value: 'jsonb' },
  'holdfast.spill_segments': { segment: 'text', records: 'int4', updated_at: 'timestamptz' },
  'holdfast.call_intents': {
    ...{
      id: 'uuid',
      organization_id: 'uuid',
      instance_id: 'uuid?',
      request_id: 'text?',
      key_id: 'uuid?',
      user_id: 'uuid?',
      end_user: 'text?',
    },
    ...{
      feature: 'text?',
      operation: 'text?',
      dialect: 'text?',
      streamed: 'bool?',
      model_asked: 'text?',
      provider: 'text?',
      started_at: 'timestamptz',
      reserved_nano: 'int8?',
    },
  },
  'holdfast.calls': {
    ...{
      id: 'uuid',
      organization_id: 'uuid',
      instance_id: 'uuid?',
      request_id: 'text?',
      key_id: 'uuid?',
      user_id: 'uuid?',
      end_user: 'text?',
    },
    ...{
      feature: 'text?',
      operation: 'text?',
      dialect: 'text?',
      streamed: 'bool?',
      model_asked: 'text?',
      model_served: 'text?',
      provider: 'text?',
    },
    ...{
      prompt_tokens: 'int8?',
      completion_tokens: 'int8?',
      cached_tokens: 'int8?',
      cache_write_tokens: 'int8?',
      reasoning_tokens: 'int8?',
    },
    ...{ usage_source: 'text', cost_nano_usd: 'int8?', outcome: 'text', error_code: 'text?', finish_reason: 'text?', status: 'int4?' },
    ...{ latency_ms: 'float8?', first_token_ms: 'float8?', overhead_ms: 'float8?', layers: 'json?', attempts: 'json?' },
    ...{ started_at: 'timestamptz', finished_at: 'timestamptz?', price_id: 'text?', usage_details: 'json?', committed_in: 'int8' },
  },
};

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

test.each(Object.entries(columns))('%s has the columns of its type', async (table, expected) => {
  const rows = await postgres.asSuperuser<{ name: string; type: string }>(
    `select a.attname as name, t.typname || case when a.attnotnull then '' else '?' end as type
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped`,
    [table.replace(/\.(.*)/, '."$1"')],
  );
  expect(Object.fromEntries(rows.map(({ name, type }) => [name, type]))).toEqual(expected);
});

test.each([
  ['all', ''],
  ['a key', `and key_id = '01890000-0000-7000-8000-000000000002'`],
  ['a model', `and model_asked = 'fast'`],
  ['a person', `and user_id = '01890000-0000-7000-8000-000000000002'`],
  ['what failed', `and outcome = 'failed'`],
])('a page of the calls of an organization is read in order from an index, filtered by %s', async (_, filter) => {
  const database = await postgres.open();
  const client = await database.pool('app').connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('holdfast.organization_id', '01890000-0000-7000-8000-000000000001', true)`);
    // An empty table would be scanned whole; that no sort is needed shows that an index fits, with the policy in place.
    await client.query('set local enable_seqscan = off');
    await client.query('set local enable_bitmapscan = off');
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `explain select id from holdfast.calls where id < '01890000-0000-7000-8000-000000000003' ${filter} order by id desc limit 50`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index (Only )?Scan/);
    expect(plan).not.toMatch(/Sort|Seq Scan/);
  } finally {
    client.release(true);
  }
});

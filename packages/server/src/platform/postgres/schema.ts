import type { ColumnType, Generated } from 'kysely';
import type { AuditSchema } from './audit-schema.ts';
import type { BudgetSchema } from './budget-schema.ts';
import type { OptionalInteger, OptionalJson, OptionalTimestamp, Timestamp } from './column-types.ts';

/** Written by hand beside the migrations; test/postgres/schema.test.ts compares it with the catalog. Names carry their schema. */
export interface Schema extends AuditSchema, BudgetSchema {
  'identity.user': UserTable;
  'identity.organization': OrganizationTable;
  'identity.member': MemberTable;
  'identity.invitation': InvitationTable;
  'identity.session': SessionTable;
  'identity.account': AccountTable;
  'identity.verification': VerificationTable;
  'holdfast.api_keys': ApiKeysTable;
  'holdfast.key_changes': KeyChangesTable;
  'holdfast.instances': InstancesTable;
  'holdfast.settings': SettingsTable;
  'holdfast.calls': CallsTable;
  'holdfast.call_intents': CallIntentsTable;
  'holdfast.spill_segments': SpillSegmentsTable;
  'holdfast.bans': BansTable;
  'holdfast.metric_minutes': MetricMinutesTable;
  'holdfast.request_log': RequestLogTable;
  'holdfast.alerts': AlertsTable;
  'holdfast.alert_observations': AlertObservationsTable;
  'holdfast.alert_groups': AlertGroupsTable;
  'holdfast.alert_silences': AlertSilencesTable;
  'holdfast.alert_deliveries': AlertDeliveriesTable;
}

export interface UserTable {
  id: string;
  name: string;
  email: string;
  emailVerified: Generated<boolean>;
  image: string | null;
  createdAt: Generated<Date>;
  updatedAt: Generated<Date>;
}

export interface OrganizationTable {
  id: string;
  name: string;
  slug: string;
  logo: string | null;
  /** JSON text, as better-auth keeps it. */
  metadata: string | null;
  createdAt: Generated<Date>;
  tier: Generated<string>;
}

export interface MemberTable {
  id: string;
  organizationId: string;
  userId: string;
  role: Generated<string>;
  createdAt: Generated<Date>;
}

export interface InvitationTable {
  id: string;
  organizationId: string;
  email: string;
  role: string | null;
  status: Generated<string>;
  expiresAt: Date;
  createdAt: Generated<Date>;
  inviterId: string;
}

export interface SessionTable {
  id: string;
  userId: string;
  token: string;
  expiresAt: Date;
  ipAddress: string | null;
  userAgent: string | null;
  activeOrganizationId: string | null;
  createdAt: Generated<Date>;
  updatedAt: Generated<Date>;
}

export interface AccountTable {
  id: string;
  userId: string;
  accountId: string;
  providerId: string;
  accessToken: string | null;
  refreshToken: string | null;
  idToken: string | null;
  accessTokenExpiresAt: Date | null;
  refreshTokenExpiresAt: Date | null;
  scope: string | null;
  password: string | null;
  createdAt: Generated<Date>;
  updatedAt: Generated<Date>;
}

export interface VerificationTable {
  id: string;
  identifier: string;
  value: string;
  expiresAt: Date;
  createdAt: Generated<Date>;
  updatedAt: Generated<Date>;
}

export interface ApiKeysTable {
  id: string;
  organization_id: string;
  user_id: string | null;
  name: string;
  /** The first characters, as shown in lists. */
  prefix: string;
  /** HMAC-SHA-256 of the key under version `hash_key_version` of the key ring. */
  hash: Buffer;
  hash_key_version: number;
  scopes: string[];
  /** null allows every model. */
  allowed_models: string[] | null;
  created_at: ColumnType<Date, Date | string | undefined, never>;
  created_by_key_id: string | null;
  expires_at: OptionalTimestamp;
  revoked_at: OptionalTimestamp;
  /** The key that took its place when it was rotated. */
  replaced_by: string | null;
  last_used_at: OptionalTimestamp;
  requests_per_minute: number | null;
  tokens_per_minute: number | null;
  concurrent: number | null;
}

export interface KeyChangesTable {
  key_id: string;
  /** `xid8`, as text. */
  changed_in: string;
  changed_at: Date;
}

export interface BansTable {
  /** Canonical address or CIDR range. */
  range: string;
  reason: string;
  source: 'automatic' | 'manual';
  banned_at: Timestamp;
  /** null: until it is lifted. */
  ends_at: OptionalTimestamp;
  repeats: number;
  banned_by: string | null;
  note: string | null;
  lifted: Generated<boolean>;
  /** This and the two below are written by the table's trigger. */
  revision: ColumnType<number, never, never>;
  /** `xid8`, as text. */
  changed_in: ColumnType<string, never, never>;
  changed_at: ColumnType<Date, never, never>;
}

export interface MetricMinutesTable {
  minute: Timestamp;
  /** A run of a server. */
  source: string;
  instance: string;
  record: ColumnType<unknown, string, string>;
}

export interface RequestLogTable {
  /** UUIDv7. */
  id: string;
  at: Timestamp;
  instance: string;
  request_id: string;
  trace_id: string | null;
  call_id: string | null;
  organization_id: string | null;
  key_id: string | null;
  user_id: string | null;
  method: string;
  route: string | null;
  status: number;
  error_code: string | null;
  latency_ms: number;
  request_bytes: ColumnType<number, number | bigint, number | bigint>;
  response_bytes: ColumnType<number, number | bigint, number | bigint>;
  request_content: string | null;
  response_content: string | null;
}

/** `jsonb`, never null. */
type Json = ColumnType<unknown, string, string>;

export interface AlertsTable {
  id: string;
  fingerprint: string;
  rule: string;
  labels: Json;
  severity: 'info' | 'warning' | 'critical';
  unit: string;
  group_key: string;
  status: 'pending' | 'firing' | 'resolved';
  since_at: Timestamp;
  fired_at: OptionalTimestamp;
  resolved_at: OptionalTimestamp;
  clear_at: OptionalTimestamp;
  resolve_after_ms: number;
  value: number;
  threshold: number;
  bad: 'above' | 'below';
  acknowledged: OptionalJson;
}

export interface AlertObservationsTable {
  fingerprint: string;
  instance: string;
  rule: string;
  labels: Json;
  value: number;
  expires_at: Timestamp;
}

export interface AlertGroupsTable {
  key: string;
  rule: string;
  told: string[];
  told_at: Timestamp;
  channels: string[];
}

export interface AlertSilencesTable {
  id: string;
  matchers: Json;
  starts_at: Timestamp;
  ends_at: Timestamp;
  created_by: string | null;
  reason: string;
}

export interface AlertDeliveriesTable {
  id: string;
  channel: string;
  group_key: string;
  notification: Json;
  status: 'pending' | 'delivered' | 'failed';
  attempts: number;
  created_at: Timestamp;
  next_try_at: Timestamp;
  finished_at: OptionalTimestamp;
  last_error: string | null;
  leased_until: OptionalTimestamp;
}

export interface InstancesTable {
  id: string;
  started_at: Timestamp;
  seen_at: Timestamp;
}

export interface SettingsTable {
  key: string;
  /** JSON text when written. */
  value: ColumnType<unknown, string, string>;
}

/** Who made a call of what, known before it is sent. */
interface CallOriginColumns {
  id: string;
  organization_id: string;
  instance_id: string | null;
  request_id: string | null;
  key_id: string | null;
  user_id: string | null;
  end_user: string | null;
  feature: string | null;
  operation: string | null;
  dialect: string | null;
  streamed: boolean | null;
  model_asked: string | null;
  provider: string | null;
  started_at: Timestamp;
}

export interface CallIntentsTable extends CallOriginColumns {
  /** What the call may cost at most; null where no hard budget asked. */
  reserved_nano: OptionalInteger;
}

export interface SpillSegmentsTable {
  segment: string;
  /** How many records of the file are in the database. */
  records: number;
  updated_at: Generated<Date>;
}

export interface CallsTable extends CallOriginColumns {
  model_served: string | null;
  prompt_tokens: OptionalInteger;
  completion_tokens: OptionalInteger;
  cached_tokens: OptionalInteger;
  cache_write_tokens: OptionalInteger;
  reasoning_tokens: OptionalInteger;
  usage_source: 'provider' | 'estimated' | 'none';
  /** null: the price is unknown. Never 0 for that. */
  cost_nano_usd: OptionalInteger;
  outcome: 'completed' | 'failed' | 'refused' | 'aborted' | 'interrupted';
  error_code: string | null;
  finish_reason: string | null;
  status: number | null;
  latency_ms: number | null;
  first_token_ms: number | null;
  overhead_ms: number | null;
  layers: OptionalJson;
  attempts: OptionalJson;
  finished_at: OptionalTimestamp;
  /** Of `holdfast.prices`; null: the price is unknown, or nothing was used. */
  price_id: string | null;
  /** Tokens that are priced apart; null: none. */
  usage_details: OptionalJson;
  committed_in: Generated<number>;
}

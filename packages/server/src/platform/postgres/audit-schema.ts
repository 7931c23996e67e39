import type { ColumnType, Generated } from 'kysely';
import type { OptionalTimestamp, Timestamp } from './column-types.ts';

/** The tables of the audit log; part of `Schema`. */
export interface AuditSchema {
  'holdfast.audit_inbox': AuditInboxTable;
  'holdfast.audit_log': AuditLogTable;
  'holdfast.audit_nodes': AuditNodesTable;
  'holdfast.audit_state': AuditStateTable;
  'holdfast.audit_series': AuditSeriesTable;
  'holdfast.audit_checkpoints': AuditCheckpointsTable;
  'holdfast.audit_keys': AuditKeysTable;
  'holdfast.audit_rejected': AuditRejectedTable;
  'holdfast.audit_personal': AuditPersonalTable;
  'holdfast.audit_publications': AuditPublicationsTable;
}

export interface AuditInboxTable {
  /** Events get their places in this order. */
  seq: ColumnType<number, never, never>;
  id: string;
  /** null: of the instance, and of no organization. */
  organization_id: string | null;
  arrived_at: ColumnType<Date, never, never>;
  /** Canonical JSON of the event without its number. */
  body: string;
}

export interface AuditLogTable {
  index: number;
  id: string;
  organization_id: string | null;
  number: number;
  at: Timestamp;
  type: string;
  outcome: string;
  actor_type: string;
  actor_id: string | null;
  user_id: string | null;
  resource_type: string | null;
  resource_id: string | null;
  request_id: string | null;
  /** The bytes that are hashed. The columns above repeat it, for queries only. */
  leaf: string;
}

export interface AuditNodesTable {
  level: number;
  index: number;
  root: Buffer;
  /** 256 hashes of 32 bytes. */
  hashes: Buffer;
}

export interface AuditStateTable {
  only_row: boolean;
  log_id: string;
  epoch: number;
  size: number;
  root: Buffer;
  tail: Buffer;
  first_index: number;
}

export interface AuditSeriesTable {
  /** The nil UUID for the instance's own. */
  organization_id: string;
  last_number: number;
  removed_number: Generated<number>;
}

export interface AuditCheckpointsTable {
  size: number;
  note: string;
  at: ColumnType<Date, never, never>;
}

export interface AuditKeysTable {
  verifier_key: string;
  kind: 'ed25519' | 'mlDsa44';
  created_at: ColumnType<Date, never, never>;
  from_size: number;
  /** null: it signs. */
  to_size: number | null;
  sealed_private_key: Buffer | null;
}

export interface AuditRejectedTable {
  seq: number;
  id: string;
  organization_id: string | null;
  reason: string;
  body: string;
  at: ColumnType<Date, never, never>;
}

export interface AuditPersonalTable {
  ref: string;
  organization_id: string | null;
  kind: 'ip' | 'user_agent' | 'end_user' | 'name' | 'text';
  tag: Buffer;
  salt: Buffer;
  sealed: Buffer;
  created_at: Timestamp;
}

export interface AuditPublicationsTable {
  destination: string;
  size: ColumnType<number, number | bigint, number | bigint>;
  published_at: OptionalTimestamp;
  tried_at: Timestamp;
  error: string | null;
}

import type { CanonicalValue } from './canonical-json.ts';

export type AuditOutcome = 'success' | 'failure' | 'denied' | 'interrupted';

export interface AuditActor {
  readonly type: 'key' | 'user' | 'operator' | 'system' | 'anonymous';
  /** Of the key, of the user, of what acts within the system. */
  readonly id?: string;
  /** The person behind a key, or who the actor is: a UUID. */
  readonly user_id?: string;
}

export interface AuditResource {
  /** Lower case with underscores: `api_key`. */
  readonly type: string;
  readonly id?: string;
}

/** References to personal data, kept elsewhere so that it can be erased: 43 characters of base64url, `SHA-256(salt || value)`. */
export interface AuditClient {
  readonly ip?: string;
  readonly user_agent?: string;
}

/**
 * What happened, as it waits for its place in the log. Every member is the same for ever once it is logged, so there is no raw personal
 * data in it. What is absent is left out; `organization_id` and `resource` alone are `null` then. The form, its bounds and test vectors
 * stand in the README beside this file.
 */
export interface AuditEvent {
  readonly v: 1;
  /** A UUID in lower case; two events of one id are one event. */
  readonly id: string;
  /** When it happened: RFC 3339 in UTC with three decimals, from 1970 on. */
  readonly at: string;
  /** Subject and verb: `key.created`. */
  readonly type: string;
  readonly outcome: AuditOutcome;
  /** `null`: of the instance, and of no organization. */
  readonly organization_id: string | null;
  readonly actor: AuditActor;
  readonly resource: AuditResource | null;
  readonly request_id?: string;
  readonly client?: AuditClient;
  /** Whatever else belongs to events of this type. */
  readonly details?: { readonly [name: string]: CanonicalValue | undefined };
}

/** An event in its place: its text is a leaf of the tree. */
export interface LoggedAuditEvent extends AuditEvent {
  /** From 1 without gaps, in the series of its organization or of the instance. */
  readonly number: number;
}

/** The longest text of an event, in bytes of UTF-8, before it gets its number. */
export const maxAuditEventBytes = 32_768;

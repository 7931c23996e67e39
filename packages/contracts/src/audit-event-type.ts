/** What an event is about; reports choose by it. */
export type AuditCategory = 'model' | 'keys' | 'organizations' | 'security' | 'operations' | 'configuration' | 'privacy';

export interface AuditEventType {
  readonly category: AuditCategory;
  /** When there is one, as a sentence. */
  readonly when: string;
  /** The type of what it was done to, or the types that it may have; undefined when it is the whole instance. */
  readonly resource: string | readonly string[] | undefined;
  /** In whose series of numbers it stands: that of the organization, the instance's own, or, by who did it, either. */
  readonly series: 'organization' | 'instance' | 'either';
  /** Members of `details`, and what they mean; they are left out where there is nothing to say. `(ref)` marks a reference to personal data. */
  readonly details: Readonly<Record<string, string>>;
}

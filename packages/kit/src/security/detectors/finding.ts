/** What a detector saw. */
export interface Finding {
  readonly kind: FindingKind;
  /** What the detector would do. Who acts may do less: see `createAbuseWatch`. */
  readonly advice: 'ban' | 'flag';
  /** The client, as the text of its `ClientIp.key`. */
  readonly client: string;
  /** The account or user that it is about, as it was given; null when it is about the client alone. */
  readonly subject: string | null;
  /** Small facts for the log and for people. Never a credential. */
  readonly evidence: Readonly<Record<string, string | number | readonly string[]>>;
}

export type FindingKind =
  | 'endpoint_scanning'
  | 'key_guessing'
  | 'sign_in_guessing'
  /** An account on which many clients try many passwords. */
  | 'account_under_attack'
  | 'automated_tool'
  | 'implausible_travel';

/** What the engine knows. `secret` is the value of a member or variable whose name says so: `password=…`, `"api_key":"…"`. */
export const sensitiveTypes = Object.freeze([
  'email',
  'phone',
  'ssn',
  'card',
  'iban',
  'ipv4',
  'ipv6',
  'api_key',
  'bearer_token',
  'jwt',
  'connection_string',
  'private_key',
  'secret',
] as const);

export type SensitiveType = (typeof sensitiveTypes)[number];

export interface Finding {
  readonly type: SensitiveType;
  /** Of its first character, in UTF-16 units. */
  readonly start: number;
  /** After its last character. */
  readonly end: number;
  /** 0 to 1: 0.95 and more where a check digit or a prefix of the issuer proves it, 0.5 where only its form and what stands before it speak for it. */
  readonly confidence: number;
}

/** Written to by the detectors: one for each scan in place of an object for each candidate. */
export interface Match {
  type: SensitiveType;
  start: number;
  end: number;
  confidence: number;
}

/**
 * Whether something begins, or is centred, at `at`, and where it ends: in `match`. MUST NOT look before `floor`, where the last finding
 * ended, and MUST do an amount of work that is bounded, or that is paid for by characters that no later call reads again.
 */
export type Detector = (text: string, at: number, floor: number, match: Match) => boolean;

export function found(match: Match, type: SensitiveType, start: number, end: number, confidence: number): true {
  match.type = type;
  match.start = start;
  match.end = end;
  match.confidence = confidence;
  return true;
}

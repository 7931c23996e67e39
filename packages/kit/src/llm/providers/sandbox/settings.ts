/** How the sandbox behaves; each can be set by configuration and, under the same name, in a model name. */
export interface SandboxSettings {
  /** Wait before the first token, or before an error, in milliseconds. Default 0. */
  readonly latencyMs: number;
  /** Wait from token to token, in milliseconds; a plain answer waits as long as its stream would take. Default 0. */
  readonly delayMs: number;
  /** Exact number of tokens of a text answer; it is cut or continued to fit. Default: as many as the answer has. */
  readonly tokens: number | undefined;
  /** Answers with this status. 200 is no error (default); else 400, 401, 403, 404, 429, 500, 502, 503 or 529. */
  readonly status: 200 | 400 | 401 | 403 | 404 | 429 | 500 | 502 | 503 | 529;
  /** Says with status 400 that it was the prompt's length or its content. */
  readonly reason: 'context_length' | 'content_filter' | undefined;
  /** `Retry-After` of an error, in seconds. */
  readonly retryAfterS: number | undefined;
  /** Probability of the error, 0 to 1. Default 1: every call. */
  readonly errorRate: number;
  /** Breaks off after so many tokens, at the latest before the end. */
  readonly cutAfter: number | undefined;
  /** Falls silent after so many tokens, at the latest before the end; the call ends when somebody gives it up. */
  readonly stallAfter: number | undefined;
  /** Sends something unreadable after so many tokens, at the latest before the end. */
  readonly malformedAfter: number | undefined;
  /** Takes the request and never sends a byte. Default false. */
  readonly silent: boolean;
  /** `none` leaves the usage out. Default `reported`. */
  readonly usage: 'reported' | 'none';
  /** Length of an embedding when the request names none. Default 1,536. */
  readonly dimensions: number;
  /** Changes what is said for the same prompt. Default 0. */
  readonly seed: number;
}

export const sandboxDefaults: SandboxSettings = Object.freeze({
  latencyMs: 0,
  delayMs: 0,
  tokens: undefined,
  status: 200,
  reason: undefined,
  retryAfterS: undefined,
  errorRate: 1,
  cutAfter: undefined,
  stallAfter: undefined,
  malformedAfter: undefined,
  silent: false,
  usage: 'reported',
  dimensions: 1536,
  seed: 0,
});

/** Most tokens that one answer may have, all its choices together. */
export const maxAnswerTokens = 131_072;
export const maxDimensions = 4096;

/** A setting at fault, in words for whoever wrote it. */
export interface SandboxFault {
  readonly path: string;
  readonly message: string;
}

type Rule =
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly whole: boolean }
  | { readonly kind: 'word'; readonly words: readonly (string | number)[] }
  | { readonly kind: 'boolean' };

const whole = (min: number, max: number): Rule => ({ kind: 'number', min, max, whole: true });

const rules: Readonly<Record<keyof SandboxSettings, Rule>> = {
  latencyMs: whole(0, 3_600_000),
  delayMs: whole(0, 600_000),
  tokens: whole(1, maxAnswerTokens),
  status: { kind: 'word', words: [200, 400, 401, 403, 404, 429, 500, 502, 503, 529] },
  reason: { kind: 'word', words: ['context_length', 'content_filter'] },
  retryAfterS: { kind: 'number', min: 0, max: 86_400, whole: false },
  errorRate: { kind: 'number', min: 0, max: 1, whole: false },
  cutAfter: whole(0, maxAnswerTokens),
  stallAfter: whole(0, maxAnswerTokens),
  malformedAfter: whole(0, maxAnswerTokens),
  silent: { kind: 'boolean' },
  usage: { kind: 'word', words: ['reported', 'none'] },
  dimensions: whole(1, maxDimensions),
  seed: whole(0, 0xffff_ffff),
};

export const sandboxSettingNames: readonly string[] = Object.keys(rules);

/** Every fault of some settings; none when they may be used. `undefined` counts as not given. */
export function checkSandboxSettings(given: Readonly<Record<string, unknown>>): SandboxFault[] {
  const faults: SandboxFault[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!isSettingName(name))
      faults.push({ path: name, message: `is no setting of the sandbox; there are ${sandboxSettingNames.join(', ')}` });
    else if (!fits(rules[name], value)) faults.push({ path: name, message: `must be ${describe(rules[name])}, not ${show(value)}` });
  }
  return faults;
}

/** Faults of settings that are each well formed and do not go together. */
export function checkTogether(settings: SandboxSettings): SandboxFault[] {
  const faults: SandboxFault[] = [];
  const refuses = settings.status !== 200;
  if (settings.retryAfterS !== undefined && !refuses) faults.push({ path: 'retryAfterS', message: 'needs a status of 400 or more' });
  if (settings.errorRate !== 1 && !refuses) faults.push({ path: 'errorRate', message: 'needs a status of 400 or more' });
  if (settings.reason !== undefined && settings.status !== 400) faults.push({ path: 'reason', message: 'needs the status 400' });
  return faults;
}

/** Reads a setting written as text. Returns the text itself where it is none that fits, so that the check names it. */
export function readSettingText(name: string, text: string): unknown {
  const rule = isSettingName(name) ? rules[name] : undefined;
  if (rule?.kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  const numeric = rule?.kind === 'number' || (rule?.kind === 'word' && typeof rule.words[0] === 'number');
  return numeric && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function isSettingName(name: string): name is keyof SandboxSettings {
  return Object.hasOwn(rules, name);
}

function fits(rule: Rule, value: unknown): boolean {
  if (rule.kind === 'boolean') return typeof value === 'boolean';
  if (rule.kind === 'word') return rule.words.includes(value as string | number);
  return typeof value === 'number' && value >= rule.min && value <= rule.max && (!rule.whole || Number.isInteger(value));
}

function describe(rule: Rule): string {
  if (rule.kind === 'boolean') return 'true or false';
  if (rule.kind === 'word') return rule.words.length === 2 ? `${rule.words[0]} or ${rule.words[1]}` : `one of ${rule.words.join(', ')}`;
  return `a ${rule.whole ? 'whole number' : 'number'} from ${rule.min} to ${rule.max}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

import { found, type Match } from '../finding.ts';
import { digit, is, keyCharacter, letter, runEnd, slash, upper } from '../text/index.ts';

interface KeyForm {
  readonly prefix: string;
  /** Fewest characters after the prefix. */
  readonly min: number;
  /** Characters after the prefix. */
  readonly of: number;
  /** Without a digit or a capital it is a word of many parts, as `sk-learn-pipeline-for-text`. */
  readonly isOftenWord?: boolean;
}

const alphanumeric = letter | digit;

/** By what their issuers print. A more special prefix stands before a more general one. */
const forms: readonly KeyForm[] = [
  { prefix: 'sk-ant-', min: 12, of: keyCharacter },
  { prefix: 'sk-proj-', min: 12, of: keyCharacter },
  { prefix: 'sk-svcacct-', min: 12, of: keyCharacter },
  { prefix: 'sk-admin-', min: 12, of: keyCharacter },
  { prefix: 'sk-or-', min: 12, of: keyCharacter },
  { prefix: 'sk-', min: 16, of: keyCharacter, isOftenWord: true },
  { prefix: 'pk-', min: 16, of: keyCharacter, isOftenWord: true },
  { prefix: 'rk-', min: 16, of: keyCharacter, isOftenWord: true },
  { prefix: 'sk_live_', min: 10, of: alphanumeric },
  { prefix: 'sk_test_', min: 10, of: alphanumeric },
  { prefix: 'rk_live_', min: 10, of: alphanumeric },
  { prefix: 'rk_test_', min: 10, of: alphanumeric },
  { prefix: 'pk_live_', min: 10, of: alphanumeric },
  { prefix: 'pk_test_', min: 10, of: alphanumeric },
  { prefix: 'sk_', min: 16, of: alphanumeric, isOftenWord: true },
  { prefix: 'whsec_', min: 16, of: keyCharacter },
  { prefix: 'hf_', min: 16, of: alphanumeric },
  { prefix: 'AKIA', min: 16, of: alphanumeric },
  { prefix: 'ASIA', min: 16, of: alphanumeric },
  { prefix: 'AIza', min: 16, of: keyCharacter },
  { prefix: 'ya29.', min: 20, of: keyCharacter },
  { prefix: 'GOCSPX-', min: 20, of: keyCharacter },
  { prefix: 'ghp_', min: 24, of: alphanumeric },
  { prefix: 'gho_', min: 24, of: alphanumeric },
  { prefix: 'ghu_', min: 24, of: alphanumeric },
  { prefix: 'ghs_', min: 24, of: alphanumeric },
  { prefix: 'ghr_', min: 24, of: alphanumeric },
  { prefix: 'github_pat_', min: 24, of: keyCharacter },
  { prefix: 'glpat-', min: 18, of: keyCharacter },
  { prefix: 'xoxa-', min: 10, of: keyCharacter },
  { prefix: 'xoxb-', min: 10, of: keyCharacter },
  { prefix: 'xoxe-', min: 10, of: keyCharacter },
  { prefix: 'xoxp-', min: 10, of: keyCharacter },
  { prefix: 'xoxr-', min: 10, of: keyCharacter },
  { prefix: 'xoxs-', min: 10, of: keyCharacter },
  { prefix: 'xapp-', min: 10, of: keyCharacter },
  { prefix: 'xai-', min: 16, of: keyCharacter, isOftenWord: true },
  { prefix: 'gsk_', min: 16, of: alphanumeric },
  { prefix: 'pplx-', min: 16, of: alphanumeric },
  { prefix: 'r8_', min: 20, of: alphanumeric },
  { prefix: 'npm_', min: 24, of: alphanumeric },
  { prefix: 'dapi', min: 32, of: alphanumeric, isOftenWord: true },
];

const slackHook = 'hooks.slack.com/services/';

/** By the first two characters, so that a word costs one look-up. */
const byStart = new Map<number, KeyForm[]>();
for (const form of forms) {
  const start = form.prefix.charCodeAt(0) * 128 + form.prefix.charCodeAt(1);
  byStart.set(start, [...(byStart.get(start) ?? []), form]);
}
const hookStart = 104 * 128 + 111;
const starts = new Uint8Array(128 * 128);
for (const start of [...byStart.keys(), hookStart]) starts[start] = 1;

/** Of a key, no more is read to tell whether it is one: `sk-sk-sk-…` must not be read to its end from each of its beginnings. */
const longestProof = 24;

/** At a letter that begins a word. */
export function apiKey(text: string, at: number, _floor: number, match: Match): boolean {
  const second = text.charCodeAt(at + 1);
  if (!(second < 128)) return false;
  const start = text.charCodeAt(at) * 128 + second;
  if (starts[start] === 0) return false;
  if (start === hookStart && text.startsWith(slackHook, at)) return slackWebhook(text, at, match);
  for (const form of byStart.get(start) ?? []) {
    if (!text.startsWith(form.prefix, at)) continue;
    const from = at + form.prefix.length;
    const proofEnd = runEnd(text, from, form.of, from + Math.max(longestProof, form.min));
    if (proofEnd - from < form.min) continue;
    if (form.isOftenWord && !looksRandom(text, from, proofEnd)) continue;
    return found(match, 'api_key', at, runEnd(text, proofEnd, form.of, text.length), form.isOftenWord ? 0.9 : 0.97);
  }
  return false;
}

function looksRandom(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (is(text.charCodeAt(at), digit | upper)) return true;
  return false;
}

/** Whoever knows the path may write to the channel. */
function slackWebhook(text: string, at: number, match: Match): boolean {
  const from = at + slackHook.length;
  let end = from;
  while (is(text.charCodeAt(end), alphanumeric) || text.charCodeAt(end) === slash) end++;
  return end - from >= 16 && found(match, 'api_key', from, end, 0.97);
}

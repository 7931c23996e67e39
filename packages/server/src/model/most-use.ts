import type { ModelTokenLimit, MostUse } from '@holdfast/kit/llm/pricing';
import type { Operation, ShallowBody } from '@holdfast/kit/llm';

/** More is as good as no maximum, and is refused by every provider. */
const largestMaximum = 10_000_000;

/** Where the limits of a model are not known: no model of those that are sold takes or gives more. */
export const assumedLimit: ModelTokenLimit = Object.freeze({ context: 2_097_152, output: 131_072 });

/** What a provider puts around a prompt that nobody sent: marks of the conversation beyond the JSON that they replace, a line of date. */
const hiddenTokens = 256;

/**
 * What it puts in front for each tool, and once for having any, beyond the bytes that describe it: Anthropic says 290 to 804 tokens for
 * having tools, and up to 735 for one of its own (https://platform.claude.com/docs/en/about-claude/pricing#tool-use-pricing).
 */
const hiddenTokensOfTool = 1_024;

/** Rounds that a provider goes with tools of its own before it stops by itself, each of which reads the prompt again: Anthropic's limit is 10. */
const ownToolRounds = 10;

/**
 * Members of a body by which a prompt comes from elsewhere, or grows while it is answered. What such a call reads is bounded by the
 * model alone.
 */
const referringMembers = [
  'previous_response_id',
  'conversation',
  'prompt',
  'cached_content',
  'extra_body',
  'container',
  'mcp_servers',
] as const;

/** Parts of a content that are what they say: each token of them is made of at least one byte. */
const spelledParts: ReadonlySet<unknown> = new Set([
  'text',
  'input_text',
  'output_text',
  'refusal',
  'thinking',
  'redacted_thinking',
  'reasoning',
  'tool_use',
  'search_result',
]);

export interface MostUseQuestion {
  readonly operation: Operation;
  readonly body: ShallowBody;
  /** Kind of the provider and name of the model, which say how much a picture can be. */
  readonly providerKind: string;
  readonly model: string;
  /** Undefined where it is not known. */
  readonly limit: ModelTokenLimit | undefined;
}

export interface BoundedUse extends MostUse {
  /** Something here is not bounded by the request or by a known limit of the model, but by `assumedLimit`. */
  readonly assumed: boolean;
}

/**
 * The most tokens that a call can use, whoever counts them. A token of any tokenizer that is in use (byte-level BPE, or
 * pieces that fall back to bytes) is made of at least one byte of its text, and no text is longer than the JSON that carries it: so the bytes of the
 * body are an upper bound of what is spelled out in it. Pictures count by the most that a picture can be, and what is only referred to
 * (a file, an address) by all that the model takes.
 */
export function mostUse(question: MostUseQuestion): BoundedUse {
  const { operation, body, limit } = question;
  if (operation === 'count_tokens') return { promptTokens: 0, completionTokens: 0, cachedForAnHour: false, media: false, assumed: false };
  const { value } = body;
  // Embeddings may be of many texts, each of which has the whole context of the model.
  if (operation === 'embeddings') {
    return { promptTokens: body.bytes.length + hiddenTokens, completionTokens: 0, cachedForAnHour: false, media: false, assumed: false };
  }
  const known = limit ?? assumedLimit;
  const found: Findings = { keptLong: false, sound: false, pictures: 0, embeddedBytes: 0, refers: false };
  lookThrough(value['messages'], found, false);
  lookThrough(value['system'], found, true);
  noteCacheControl(value, found);
  const tools = lookAtTools(value['tools'], found);
  const refers = found.refers || referringMembers.some((name) => isGiven(value[name]));
  const rounds = tools.own || isGiven(value['web_search_options']) ? ownToolRounds : 1;
  const spelled = body.bytes.length - found.embeddedBytes + hiddenTokens;
  const pictures = found.pictures * mostTokensOfPicture(question.providerKind, question.model);
  const hidden = tools.count === 0 ? 0 : (tools.count + 1) * hiddenTokensOfTool;
  const prompt = refers || rounds > 1 ? Number.POSITIVE_INFINITY : spelled + pictures + hidden;

  const asked = maximumOf(value);
  const choices = choicesOf(value);
  // Words that were predicted and not taken are paid like those of the answer.
  const predicted = isGiven(value['prediction']) ? body.bytes.length : 0;
  const completion = Math.min(asked ?? known.output, limit?.output ?? Number.POSITIVE_INFINITY) + predicted;
  return {
    // What is longer than the context of the model is refused before it costs anything.
    promptTokens: Math.min(prompt, known.context) * rounds,
    completionTokens: completion * choices * rounds,
    cachedForAnHour: found.keptLong,
    // An answer in sound or pictures has to be asked for.
    media: found.sound || found.pictures > 0 || refers || isGiven(value['modalities']),
    assumed: limit === undefined && (asked === undefined || prompt > known.context),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The most that the client allows a chat to answer, all choices together, in tokens; undefined where it allows anything. */
export function allowedCompletionTokens({ value }: ShallowBody): number | undefined {
  const maximum = maximumOf(value);
  return maximum === undefined ? undefined : maximum * choicesOf(value);
}

function choicesOf(value: Readonly<Record<string, unknown>>): number {
  return Math.min(128, Math.max(1, whole(value['n']) ?? 1));
}

/** The longest answer that the client allows, in any of the words for it; undefined where it allows anything. */
function maximumOf(value: Readonly<Record<string, unknown>>): number | undefined {
  const newer = whole(value['max_completion_tokens']);
  const older = whole(value['max_tokens']);
  // Providers differ in which of the two they heed.
  return newer === undefined ? older : Math.max(newer, older ?? 0);
}

function whole(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestMaximum ? value : undefined;
}

interface Findings {
  /** Some of it is to be kept in a cache for longer than the five minutes that are usual. */
  keptLong: boolean;
  sound: boolean;
  pictures: number;
  /** Bytes of pictures that stand in the body: they are not read as text. */
  embeddedBytes: number;
  refers: boolean;
}

/** Messages, and the parts of their contents. `isContent`: the list is a content itself. */
function lookThrough(list: unknown, found: Findings, isContent: boolean): void {
  if (!Array.isArray(list)) return;
  for (const item of list as readonly unknown[]) {
    if (typeof item !== 'object' || item === null) continue;
    const member = item as Readonly<Record<string, unknown>>;
    if (isContent) lookAtPart(member, found);
    else {
      lookThrough(member['content'], found, true);
      // An answer in sound that the provider remembers, by its name alone.
      if (typeof member['audio'] === 'object' && member['audio'] !== null) found.refers = true;
    }
  }
}

function lookAtPart(part: Readonly<Record<string, unknown>>, found: Findings): void {
  const { type } = part;
  noteCacheControl(part, found);
  if (spelledParts.has(type)) return;
  switch (type) {
    case 'image_url': {
      const image = part['image_url'];
      const url = typeof image === 'string' ? image : (image as { readonly url?: unknown } | null | undefined)?.url;
      return picture(typeof url === 'string' && url.startsWith('data:') ? url : undefined, found);
    }
    case 'image': {
      const source = (part['source'] ?? {}) as { readonly type?: unknown; readonly data?: unknown };
      return picture(source.type === 'base64' && typeof source.data === 'string' ? source.data : undefined, found);
    }
    // A token of sound lasts longer than a byte of it, in every encoding that is taken.
    case 'input_audio':
      found.sound = true;
      return;
    case 'tool_result':
      return lookThrough(part['content'], found, true);
    case 'document':
      return lookAtDocument((part['source'] ?? {}) as { readonly type?: unknown; readonly content?: unknown }, found);
    default:
      // Files by name or whole (a page of a PDF is many tokens and may be a few bytes), films, and whatever comes next.
      found.refers = true;
  }
}

function lookAtDocument(source: { readonly type?: unknown; readonly content?: unknown }, found: Findings): void {
  if (source.type === 'content') lookThrough(source.content, found, true);
  else if (source.type !== 'text') found.refers = true;
}

function picture(embedded: string | undefined, found: Findings): void {
  found.pictures++;
  // Only letters that are one byte each in the body as well; a text that calls itself a picture gains nothing by it.
  if (embedded !== undefined) found.embeddedBytes += embedded.length;
}

function noteCacheControl(of: object, found: Findings): void {
  const control = (of as { readonly cache_control?: { readonly ttl?: unknown } | null }).cache_control;
  if (control !== undefined && control !== null && control.ttl !== undefined && control.ttl !== '5m') found.keptLong = true;
}

/** Tools of the client's are called by the client, in a call of their own; tools of the provider's run within this one. */
function lookAtTools(tools: unknown, found: Findings): { readonly count: number; readonly own: boolean } {
  if (!Array.isArray(tools)) return { count: 0, own: false };
  let own = false;
  for (const tool of tools as readonly ({ readonly type?: unknown } | null)[]) {
    const type = tool?.type;
    if (tool) noteCacheControl(tool, found);
    own ||= typeof type === 'string' && type !== 'function' && type !== 'custom' && !calledByClient.test(type);
  }
  return { count: tools.length, own };
}

/** Of Anthropic's tools, those that the client runs. */
const calledByClient = /^(bash|text_editor|computer|memory)_\d{8}$/;

/**
 * The most tokens that one picture can be, each rounded up.
 * Anthropic: 4,784 (https://platform.claude.com/docs/en/build-with-claude/vision). OpenAI: 48,169 for gpt-4o-mini (2,833 + 8 × 5,667), for the others
 * at most 10,000 patches, by 1.62 at most (https://developers.openai.com/api/docs/guides/images-vision). Gemini: 2,240 for the highest resolution of one, and 258 for each
 * tile of 768 × 768 before (https://ai.google.dev/gemini-api/docs/media-resolution). Others are taken for the dearest.
 */
function mostTokensOfPicture(providerKind: string, model: string): number {
  switch (providerKind) {
    case 'anthropic':
      return 5_000;
    case 'openai':
    case 'azure':
      return model.startsWith('gpt-4o-mini') ? 50_000 : 25_000;
    case 'gemini':
      return 10_000;
    default:
      return 50_000;
  }
}

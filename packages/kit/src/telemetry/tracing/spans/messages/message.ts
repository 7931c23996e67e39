import { createMasker } from '../../../../privacy/index.ts';

/** A message as the conventions have it (`gen_ai.input.messages`): JSON, since an attribute of a span is a text. */
export interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
}

export type Part = Readonly<Record<string, unknown>> & { readonly type: string };

export type Json = Readonly<Record<string, unknown>>;

const masker = createMasker();
/** Of one text. */
const maxTextChars = 4_096;
/** Of one attribute: receivers cut or refuse larger ones. */
const maxAttributeChars = 32_768;

/** Masked, then cut. The only way for what was said into a span. */
export function said(text: unknown): string {
  return masker.maskObject(String(text), { maxStringChars: maxTextChars }) as string;
}

/** Arguments and results of tools: of any form. */
export function saidJson(value: unknown): unknown {
  return typeof value === 'string' ? said(value) : masker.maskObject(value, { maxStringChars: maxTextChars, maxValues: 500 });
}

/** The last messages that fit: the end of a conversation says most about its answer. */
export function toAttribute(messages: readonly object[]): string | undefined {
  const kept: string[] = [];
  let chars = 2;
  for (const message of messages.toReversed()) {
    const json = JSON.stringify(message);
    chars += json.length + 1;
    if (chars > maxAttributeChars) break;
    kept.push(json);
  }
  return kept.length === 0 ? undefined : `[${kept.reverse().join(',')}]`;
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text, or a list of parts of either dialect. Pictures and files are named and not shown. */
export function partsOf(content: unknown): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content: said(content) }];
  if (!Array.isArray(content)) return [];
  return content.slice(0, 100).filter(isJson).map(partOf);
}

function partOf(part: Json): Part {
  const { type } = part;
  switch (type) {
    case 'text':
      return { type, content: said(part['text']) };
    case 'thinking':
      return { type: 'reasoning', content: said(part['thinking']) };
    case 'tool_use':
      return { type: 'tool_call', id: said(part['id']), name: said(part['name']), arguments: saidJson(part['input']) };
    case 'tool_result':
      return { type: 'tool_call_response', id: said(part['tool_use_id']), response: saidJson(part['content']) };
    default:
      return { type: said(type).slice(0, 64) };
  }
}

/** Calls of tools as OpenAI writes them, beside the content. */
export function toolCallsOf(calls: unknown): Part[] {
  if (!Array.isArray(calls)) return [];
  return calls
    .slice(0, 100)
    .filter(isJson)
    .map((call) => {
      const fn = isJson(call['function']) ? call['function'] : {};
      return { type: 'tool_call', id: said(call['id']), name: said(fn['name']), arguments: saidJson(fn['arguments']) };
    });
}

import type { Findings } from '../fields/index.ts';
import { textOf, type JsonObject } from '../json/index.ts';
import { portableToolId } from '../mapping/index.ts';
import { compact, toParts } from './content.ts';

/**
 * Adds the tool message of one result. OpenAI's tool messages hold text only, so that what else a tool returned (a
 * screenshot, a PDF) goes to `shown`, for the user message that follows.
 */
export function addResult(block: JsonObject, path: string, results: JsonObject[], shown: JsonObject[], findings: Findings): void {
  const id = textOf(block['tool_use_id']);
  if (id === undefined) findings.invalid(`${path}.tool_use_id`, 'is required');
  const callId = portableToolId(id ?? '');
  const parts = contentParts(block['content'], `${path}.content`, findings);
  const texts = parts.filter((part) => part['type'] === 'text');
  const others = parts.filter((part) => part['type'] !== 'text');
  if (block['is_error'] === true) markError(texts);
  if (others.length > 0) {
    shown.push({ type: 'text', text: `Returned by the tool call ${callId}:` }, ...others);
    if (texts.length === 0) texts.push({ type: 'text', text: 'See the next message of the user.' });
  }
  results.push({ role: 'tool', tool_call_id: callId, content: texts.length === 0 ? '' : compact(texts) });
}

function contentParts(content: unknown, path: string, findings: Findings): JsonObject[] {
  if (content === undefined || content === null || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (Array.isArray(content)) return content.flatMap((block: unknown, index) => toParts(block, `${path}[${index}]`, findings));
  findings.invalid(path, 'must be a string or a list of blocks');
  return [];
}

/** OpenAI has no flag for a tool that failed; a model reads it in the text. */
function markError(texts: JsonObject[]): void {
  const first = texts[0];
  if (!first) texts.push({ type: 'text', text: 'Error: the tool failed.' });
  else if (!/^\s*error\b/i.test(first['text'] as string)) texts[0] = { type: 'text', text: `Error: ${first['text'] as string}` };
}

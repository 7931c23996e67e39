import type { AttemptResult } from '../../spec/index.ts';
import { isObject, textOf, type JsonObject } from '../json/index.ts';
import { malformed, toFinishReason, writeOpenaiUsage, type CallFacts } from '../mapping/index.ts';

/** A message of Anthropic's as a chat completion. */
export function toChatCompletion(body: JsonObject, result: AttemptResult, facts: CallFacts): JsonObject {
  if (!Array.isArray(body['content'])) throw malformed('a message without content');
  const stopReason = textOf(body['stop_reason']);
  return {
    id: `chatcmpl-${textOf(body['id']) ?? facts.newId()}`,
    object: 'chat.completion',
    created: facts.createdSeconds,
    model: textOf(body['model']) ?? facts.request.model,
    choices: [
      {
        index: 0,
        message: toMessage(body['content'], refusalOf(stopReason, body['stop_details'])),
        logprobs: null,
        finish_reason: toFinishReason(stopReason),
      },
    ],
    ...(result.usage ? { usage: writeOpenaiUsage(result.usage) } : {}),
  };
}

/** What a refusal says of itself. */
export function refusalOf(stopReason: string | undefined, details: unknown): string | null {
  if (stopReason !== 'refusal' || !isObject(details)) return null;
  return textOf(details['explanation']) ?? null;
}

function toMessage(content: readonly unknown[], refusal: string | null): JsonObject {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: JsonObject[] = [];
  for (const block of content) {
    if (!isObject(block)) throw malformed('a content block that is no object');
    if (block['type'] === 'text' && typeof block['text'] === 'string') texts.push(block['text']);
    else if (block['type'] === 'thinking' && typeof block['thinking'] === 'string') thoughts.push(block['thinking']);
    else if (block['type'] === 'tool_use') calls.push(toCall(block));
  }
  const reasoning = thoughts.join('');
  return {
    role: 'assistant',
    content: texts.length > 0 ? texts.join('') : null,
    refusal,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function toCall(block: JsonObject): JsonObject {
  const id = textOf(block['id']);
  const name = textOf(block['name']);
  if (id === undefined || name === undefined) throw malformed('a tool call without id or name');
  return { id, type: 'function', function: { name, arguments: JSON.stringify(block['input'] ?? {}) } };
}

import type { AttemptResult } from '../../spec/index.ts';
import { isObject, parseObject, textOf, type JsonObject } from '../json/index.ts';
import { malformed, toStopReason, writeAnthropicMessageUsage, type CallFacts } from '../mapping/index.ts';

/** A chat completion as a message of Anthropic's. */
export function toMessage(body: JsonObject, result: AttemptResult, facts: CallFacts): JsonObject {
  const choice: unknown = Array.isArray(body['choices']) ? body['choices'][0] : undefined;
  const message = isObject(choice) ? choice['message'] : undefined;
  if (!isObject(choice) || !isObject(message)) throw malformed('a completion without a message');
  const id = textOf(body['id']) ?? facts.newId();
  const finishReason = textOf(choice['finish_reason']);
  const refusal = textOf(message['refusal']);
  const calls = toToolUses(message['tool_calls'], id, finishReason === 'length');
  return {
    ...emptyMessage(id, textOf(body['model']) ?? facts.request.model),
    content: [...textBlocks(contentText(message['content'])), ...textBlocks(refusal), ...calls],
    ...writeEnding(finishReason, refusal, calls.length > 0),
    usage: writeAnthropicMessageUsage(result.usage),
  };
}

/** A message of which nothing is known yet but its name, with every member that Anthropic's SDKs look for. */
export function emptyMessage(id: string, model: string): JsonObject {
  return {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: writeAnthropicMessageUsage(undefined),
  };
}

/** How a message ended, as in a message and in `message_delta`. */
export function writeEnding(finishReason: string | undefined, refusal: string | undefined, hasToolCalls: boolean): JsonObject {
  return {
    stop_reason: toStopReason(finishReason, { hasToolCalls, refused: refusal !== undefined }),
    stop_sequence: null,
    stop_details: refusal === undefined ? null : { type: 'refusal', category: null, explanation: refusal },
  };
}

/** Text of a content that is a string, or, at some servers, a list of parts. */
export function contentText(content: unknown): string | undefined {
  if (!Array.isArray(content)) return textOf(content);
  const texts = content.flatMap((part: unknown) => (isObject(part) && part['type'] === 'text' ? [textOf(part['text']) ?? ''] : []));
  return textOf(texts.join(''));
}

/** An id for a call to which the server gave none: the same call gets the same one again. */
export function missingCallId(answerId: string, index: number): string {
  return `call_${answerId.replaceAll(/[^A-Za-z0-9]/g, '').slice(-28)}_${index}`;
}

function textBlocks(text: string | undefined): JsonObject[] {
  return text === undefined ? [] : [{ type: 'text', text, citations: null }];
}

function toToolUses(calls: unknown, answerId: string, cut: boolean): JsonObject[] {
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((call: unknown, index) => {
    const target = isObject(call) ? call['function'] : undefined;
    if (!isObject(call) || !isObject(target) || typeof target['name'] !== 'string') throw malformed('a tool call without a function');
    const input = parseObject(typeof target['arguments'] === 'string' ? target['arguments'] : '');
    if (input === undefined) {
      // Cut at the limit, the call says nothing that could be run; `max_tokens` tells the client.
      if (cut) return [];
      throw malformed('tool arguments that are no JSON object');
    }
    return [
      {
        type: 'tool_use',
        id: textOf(call['id']) ?? missingCallId(answerId, index),
        name: target['name'],
        input,
        caller: { type: 'direct' },
      },
    ];
  });
}

import type { Findings } from '../fields/index.ts';
import { isGiven, isObject, parseObject, textOf, type JsonObject } from '../json/index.ts';
import { portableToolId } from '../mapping/index.ts';
import { compact, textBlock, toBlocks } from './content.ts';

export interface Conversation {
  /** Undefined when the client gave no system prompt. */
  readonly system: JsonObject[] | string | undefined;
  readonly messages: JsonObject[];
}

/** Splits OpenAI's one list into Anthropic's system prompt and turns. */
export function toConversation(messages: unknown, findings: Findings): Conversation {
  if (!Array.isArray(messages)) {
    findings.invalid('messages', 'must be a list');
    return { system: undefined, messages: [] };
  }
  const turns = new Turns();
  messages.forEach((message: unknown, index) => addMessage(turns, message, `messages[${index}]`, findings));
  const all = turns.end();
  if (all.at(-1)?.['role'] === 'assistant') {
    const index = messages.findLastIndex((message) => isObject(message) && message['role'] === 'assistant');
    findings.unsupported(
      `messages[${index}]`,
      "the last message must not be the assistant's: OpenAI would answer anew, Anthropic would continue it",
    );
  }
  return { system: turns.system.length === 0 ? undefined : compact(turns.system), messages: all };
}

function addMessage(turns: Turns, message: unknown, path: string, findings: Findings): void {
  if (!isObject(message)) return findings.invalid(path, 'must be an object');
  const content = (): JsonObject[] => toBlocks(message['content'], `${path}.content`, findings);
  switch (message['role']) {
    case 'system':
    case 'developer':
      turns.system.push(...content());
      return;
    case 'user':
      turns.user(content());
      return;
    case 'tool':
      turns.result(toResult(message, content(), path, findings));
      return;
    case 'assistant':
      turns.assistant([...content(), ...textBlock(textOf(message['refusal']) ?? ''), ...toCalls(message, path, findings)]);
      return;
    default:
      findings.unsupported(`${path}.role`, 'this role has no counterpart');
  }
}

function toResult(message: JsonObject, content: JsonObject[], path: string, findings: Findings): JsonObject {
  const id = textOf(message['tool_call_id']);
  if (id === undefined) findings.invalid(`${path}.tool_call_id`, 'is required');
  return { type: 'tool_result', tool_use_id: portableToolId(id ?? ''), ...(content.length > 0 ? { content: compact(content) } : {}) };
}

function toCalls(message: JsonObject, path: string, findings: Findings): JsonObject[] {
  for (const field of ['function_call', 'audio']) {
    if (isGiven(message[field])) findings.unsupported(`${path}.${field}`, 'has no counterpart');
  }
  const calls = message['tool_calls'];
  if (!isGiven(calls)) return [];
  if (!Array.isArray(calls)) {
    findings.invalid(`${path}.tool_calls`, 'must be a list');
    return [];
  }
  return calls.flatMap((call: unknown, index) => toToolUse(call, `${path}.tool_calls[${index}]`, findings));
}

function toToolUse(call: unknown, path: string, findings: Findings): JsonObject[] {
  if (isObject(call) && isGiven(call['type']) && call['type'] !== 'function') {
    findings.unsupported(`${path}.type`, 'only functions have a counterpart');
    return [];
  }
  const target = isObject(call) ? call['function'] : undefined;
  const id = isObject(call) ? textOf(call['id']) : undefined;
  if (!isObject(target) || id === undefined || typeof target['name'] !== 'string') {
    findings.invalid(path, 'needs an id and a function with a name');
    return [];
  }
  const input = parseObject(typeof target['arguments'] === 'string' ? target['arguments'] : '');
  if (input === undefined) {
    findings.unsupported(`${path}.function.arguments`, 'must be a JSON object, nested 64 levels at most');
    return [];
  }
  return [{ type: 'tool_use', id: portableToolId(id), name: target['name'], input }];
}

/**
 * Puts messages together into turns. Anthropic wants the results of all calls at the start of the one user turn right
 * after the assistant's, where OpenAI has a message for each.
 */
class Turns {
  readonly system: JsonObject[] = [];
  readonly #turns: JsonObject[] = [];
  #results: JsonObject[] = [];
  #said: JsonObject[] = [];

  user(blocks: JsonObject[]): void {
    this.#said.push(...blocks);
  }

  result(block: JsonObject): void {
    this.#results.push(block);
  }

  assistant(blocks: JsonObject[]): void {
    this.#endUserTurn();
    if (blocks.length > 0) this.#turns.push({ role: 'assistant', content: compact(blocks) });
  }

  end(): JsonObject[] {
    this.#endUserTurn();
    return this.#turns;
  }

  #endUserTurn(): void {
    const blocks = [...this.#results, ...this.#said];
    this.#results = [];
    this.#said = [];
    if (blocks.length > 0) this.#turns.push({ role: 'user', content: compact(blocks) });
  }
}

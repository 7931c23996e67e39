import type { Findings } from '../fields/index.ts';
import { isGiven, isObject, textOf, type JsonObject } from '../json/index.ts';
import { portableToolId } from '../mapping/index.ts';
import { compact, isLeftOut, textPart, toParts } from './content.ts';
import { addResult } from './tool-results.ts';

/** Anthropic's system prompt and turns as OpenAI's one list. */
export function toMessages(system: unknown, messages: unknown, findings: Findings): JsonObject[] {
  const out: JsonObject[] = [];
  const systemParts = toTexts(system, 'system', findings);
  if (systemParts.length > 0) out.push({ role: 'system', content: compact(systemParts) });
  if (!Array.isArray(messages)) {
    findings.invalid('messages', 'must be a list');
    return out;
  }
  messages.forEach((message: unknown, index) => addMessage(out, message, `messages[${index}]`, findings));
  const last: unknown = messages.at(-1);
  if (isObject(last) && last['role'] === 'assistant') {
    findings.unsupported(
      `messages[${messages.length - 1}]`,
      "OpenAI cannot continue an answer (prefill): the last message must not be the assistant's",
    );
  }
  return out;
}

function addMessage(out: JsonObject[], message: unknown, path: string, findings: Findings): void {
  if (!isObject(message)) return findings.invalid(path, 'must be an object');
  const { role, content } = message;
  const at = `${path}.content`;
  if (role === 'system') {
    const parts = toTexts(content, at, findings);
    if (parts.length > 0) out.push({ role, content: compact(parts) });
  } else if (role === 'user') {
    out.push(...toUserMessages(content, at, findings));
  } else if (role === 'assistant') {
    out.push(...toAssistantMessages(content, at, findings));
  } else {
    findings.unsupported(`${path}.role`, 'this role has no counterpart');
  }
}

function blocksOf(content: unknown, path: string, findings: Findings): readonly unknown[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (Array.isArray(content)) return content;
  findings.invalid(path, 'must be a string or a list of blocks');
  return [];
}

function toTexts(content: unknown, path: string, findings: Findings): JsonObject[] {
  if (!isGiven(content)) return [];
  return blocksOf(content, path, findings).flatMap((block, index) => {
    if (isObject(block) && block['type'] === 'text') return textPart(block['text'], `${path}[${index}].text`, findings);
    findings.unsupported(`${path}[${index}].type`, 'only text has a counterpart here');
    return [];
  });
}

function toUserMessages(content: unknown, path: string, findings: Findings): JsonObject[] {
  const results: JsonObject[] = [];
  const shown: JsonObject[] = [];
  const said: JsonObject[] = [];
  blocksOf(content, path, findings).forEach((block, index) => {
    const at = `${path}[${index}]`;
    if (isObject(block) && block['type'] === 'tool_result') addResult(block, at, results, shown, findings);
    else said.push(...toParts(block, at, findings));
  });
  const parts = [...shown, ...said];
  return parts.length > 0 ? [...results, { role: 'user', content: compact(parts) }] : results;
}

function toAssistantMessages(content: unknown, path: string, findings: Findings): JsonObject[] {
  const texts: string[] = [];
  const calls: JsonObject[] = [];
  blocksOf(content, path, findings).forEach((block, index) => {
    const at = `${path}[${index}]`;
    if (!isObject(block)) findings.invalid(at, 'must be an object');
    else if (block['type'] === 'text' && typeof block['text'] === 'string') texts.push(block['text']);
    else if (block['type'] === 'tool_use') calls.push(...toCall(block, at, findings));
    else if (!isLeftOut(block)) findings.unsupported(`${at}.type`, 'this kind of block has no counterpart');
  });
  const text = texts.join('');
  if (text === '' && calls.length === 0) return [];
  return [{ role: 'assistant', content: text === '' ? null : text, ...(calls.length > 0 ? { tool_calls: calls } : {}) }];
}

function toCall(block: JsonObject, path: string, findings: Findings): JsonObject[] {
  const id = textOf(block['id']);
  const name = textOf(block['name']);
  if (id === undefined || name === undefined) {
    findings.invalid(path, 'needs an id and a name');
    return [];
  }
  return [{ id: portableToolId(id), type: 'function', function: { name, arguments: JSON.stringify(block['input'] ?? {}) } }];
}

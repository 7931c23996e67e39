import type { Dialect } from '../../../../llm/spec/index.ts';
import { isJson, partsOf, toAttribute, toolCallsOf, type Json, type Message } from './message.ts';

/** What was answered, masked: `gen_ai.output.messages`. Of an answer that was cut, what can be read of it. */
export function outputMessages(answer: readonly Buffer[], dialect: Dialect, streamed: boolean): string | undefined {
  const text = Buffer.concat(answer).toString('utf8');
  const messages = streamed ? fromEvents(eventsOf(text), dialect) : fromBody(parse(text), dialect);
  return toAttribute(messages.filter(({ parts }) => parts.length > 0));
}

function parse(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : {};
  } catch {
    return {};
  }
}

function eventsOf(text: string): Json[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => parse(line.slice(5).trim()));
}

function fromBody(body: Json, dialect: Dialect): Message[] {
  if (dialect === 'anthropic') return [{ role: 'assistant', parts: partsOf(body['content']) }];
  const choices = Array.isArray(body['choices']) ? body['choices'].filter(isJson) : [];
  return choices.map(({ message }) => {
    const said = isJson(message) ? message : {};
    return { role: 'assistant', parts: [...partsOf(said['content']), ...toolCallsOf(said['tool_calls'])] };
  });
}

/** Text and tool calls gathered again from their pieces; by choice, or by block. */
function fromEvents(events: readonly Json[], dialect: Dialect): Message[] {
  return dialect === 'anthropic' ? anthropicMessages(events) : openaiMessages(events);
}

interface ToolPieces {
  id: unknown;
  name: unknown;
  arguments: string;
}

function openaiMessages(events: readonly Json[]): Message[] {
  const choices = new Map<unknown, { text: string; tools: Map<unknown, ToolPieces> }>();
  for (const { choices: given } of events) {
    if (!Array.isArray(given)) continue;
    for (const choice of given.filter(isJson)) {
      let gathered = choices.get(choice['index']);
      if (gathered === undefined) choices.set(choice['index'], (gathered = { text: '', tools: new Map() }));
      const delta = isJson(choice['delta']) ? choice['delta'] : {};
      if (typeof delta['content'] === 'string') gathered.text += delta['content'];
      if (Array.isArray(delta['tool_calls'])) for (const call of delta['tool_calls'].filter(isJson)) addToolPiece(gathered.tools, call);
    }
  }
  return [...choices.values()].map(({ text, tools }) => ({
    role: 'assistant',
    parts: [...partsOf(text), ...toolCallsOf([...tools.values()].map(({ id, ...fn }) => ({ id, function: fn })))],
  }));
}

function addToolPiece(tools: Map<unknown, ToolPieces>, call: Json): void {
  let tool = tools.get(call['index']);
  if (tool === undefined) tools.set(call['index'], (tool = { id: undefined, name: undefined, arguments: '' }));
  const fn = isJson(call['function']) ? call['function'] : {};
  tool.id ??= call['id'];
  tool.name ??= fn['name'];
  if (typeof fn['arguments'] === 'string') tool.arguments += fn['arguments'];
}

function anthropicMessages(events: readonly Json[]): Message[] {
  const blocks = new Map<unknown, Record<string, unknown>>();
  for (const event of events) {
    const { index } = event;
    if (event['type'] === 'content_block_start' && isJson(event['content_block'])) blocks.set(index, { ...event['content_block'] });
    const block = blocks.get(index);
    if (event['type'] !== 'content_block_delta' || block === undefined || !isJson(event['delta'])) continue;
    const { text, thinking, partial_json: json } = event['delta'];
    if (typeof text === 'string') block['text'] = `${asText(block['text'])}${text}`;
    if (typeof thinking === 'string') block['thinking'] = `${asText(block['thinking'])}${thinking}`;
    // An object until its first piece is there.
    if (typeof json === 'string') block['input'] = `${asText(block['input'])}${json}`;
  }
  return [{ role: 'assistant', parts: partsOf([...blocks.values()]) }];
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

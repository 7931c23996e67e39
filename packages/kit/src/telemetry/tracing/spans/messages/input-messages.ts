import type { Dialect } from '../../../../llm/spec/index.ts';
import { isJson, partsOf, saidJson, said, toAttribute, toolCallsOf, type Json, type Message } from './message.ts';

/** What was asked, masked: the value of `gen_ai.input.messages`. */
export function inputMessages(body: Json, dialect: Dialect): string | undefined {
  const { messages } = body;
  if (!Array.isArray(messages)) return undefined;
  const toMessage = dialect === 'openai' ? openaiMessage : anthropicMessage;
  return toAttribute(messages.slice(-100).filter(isJson).map(toMessage));
}

/** What stands beside the conversation, masked: `gen_ai.system_instructions`. OpenAI has it among the messages. */
export function systemInstructions(body: Json, dialect: Dialect): string | undefined {
  return dialect === 'anthropic' ? toAttribute(partsOf(body['system'])) : undefined;
}

function openaiMessage(message: Json): Message {
  const role = said(message['role']);
  if (role === 'tool') {
    return { role, parts: [{ type: 'tool_call_response', id: said(message['tool_call_id']), response: saidJson(message['content']) }] };
  }
  return { role, parts: [...partsOf(message['content']), ...toolCallsOf(message['tool_calls'])] };
}

function anthropicMessage(message: Json): Message {
  return { role: said(message['role']), parts: partsOf(message['content']) };
}

import { countPieces } from './pieces.ts';
import { rejected } from './rejected.ts';

export interface Prompt {
  readonly tokens: number;
  /** The text of the last message of the user; empty when there is none. */
  readonly userText: string;
  /** The text of the message at the end when that is a tool's answer. */
  readonly toolText: string | undefined;
  /** Whether the last word is the user's. */
  readonly endsWithUser: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** What OpenAI counts around a message and before the answer. */
const tokensPerMessage = 3;
const tokensPerAnswer = 3;
/** A small image at OpenAI; files and sound, whose size says nothing of their tokens, get a flat figure as well. */
const tokensPerImage = 85;
const tokensPerFile = 250;

/** Reads the messages of either dialect: what they ask, and what they would cost. Throws `provider_rejected_request`. */
export function readPrompt(body: Fields): Prompt {
  const { messages } = body;
  if (!Array.isArray(messages) || messages.length === 0) throw rejected("'messages' must be a list with at least one message.");
  let tokens = tokensPerAnswer + countContent(body['system']) + countJson(body['tools']) + countJson(body['response_format']);
  let userText = '';
  for (const [at, message] of (messages as unknown[]).entries()) {
    if (!isFields(message) || typeof message['role'] !== 'string') throw rejected(`'messages[${at}]' must be an object with a 'role'.`);
    tokens += tokensPerMessage + countContent(message['content']) + countJson(message['tool_calls']);
    if (message['role'] === 'user') userText = textOf(message['content']) || userText;
  }
  const last = messages.at(-1) as Fields;
  return {
    tokens,
    userText,
    toolText: last['role'] === 'tool' ? textOf(last['content']) : undefined,
    endsWithUser: last['role'] === 'user',
  };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as unknown[]).map((part) => (isFields(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}

function countContent(content: unknown): number {
  if (typeof content === 'string') return countPieces(content);
  if (!Array.isArray(content)) return 0;
  let tokens = 0;
  for (const part of content as unknown[]) {
    if (!isFields(part)) continue;
    const type = String(part['type']);
    if (typeof part['text'] === 'string') tokens += countPieces(part['text']);
    else if (type.includes('image')) tokens += tokensPerImage;
    else if (type === 'file' || type === 'document' || type === 'input_audio') tokens += tokensPerFile;
    else if (type === 'tool_result') tokens += countContent(part['content']);
    else tokens += countJson(part);
  }
  return tokens;
}

function countJson(value: unknown): number {
  return value === undefined || value === null ? 0 : countPieces(JSON.stringify(value));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

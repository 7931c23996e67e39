import type { Usage } from '../spec/index.ts';
import { readOpenaiUsage } from './openai-usage.ts';
import type { StreamEventKind, StreamInspector } from './stream-inspector.ts';

interface Chunk {
  id?: unknown;
  model?: unknown;
  choices?: readonly Choice[];
  usage?: unknown;
  error?: unknown;
}
interface Choice {
  index?: number;
  finish_reason?: string | null;
  delta?: Record<string, unknown> | null;
}

/** Reads a stream of `chat.completion.chunk`s. With `n` choices the answer is finished when the last of them is. */
export class OpenaiInspector implements StreamInspector {
  readonly #choices: number;
  readonly #finished = new Set<number>();
  usage: Usage | undefined;
  finishReason: string | undefined;
  servedModel: string | undefined;
  responseId: string | undefined;
  outputBytes = 0;
  error: { type: string | undefined; message: string | undefined } | undefined;

  constructor(choices: number) {
    this.#choices = choices;
  }

  inspect(name: string | undefined, data: string | undefined): StreamEventKind {
    if (data === undefined || data === '') return 'noise';
    if (data === '[DONE]') return 'end';
    let chunk: Chunk;
    try {
      chunk = JSON.parse(data) as Chunk;
    } catch {
      return 'malformed';
    }
    if (typeof chunk !== 'object' || chunk === null) return 'malformed';
    if (name === 'error' || (chunk.error !== undefined && chunk.error !== null)) {
      this.error = readError(chunk.error ?? chunk);
      return 'error';
    }
    if (typeof chunk.model === 'string' && chunk.model !== '') this.servedModel ??= chunk.model;
    if (this.responseId === undefined && typeof chunk.id === 'string') this.responseId = chunk.id;
    if (chunk.usage) this.usage = readOpenaiUsage(chunk.usage) ?? this.usage;
    const { choices } = chunk;
    if (!Array.isArray(choices) || choices.length === 0) return chunk.usage ? 'usage' : 'opening';
    let kind: StreamEventKind = 'opening';
    for (const choice of choices) {
      if (typeof choice !== 'object' || choice === null) return 'malformed';
      if (hasContent(choice.delta) && this.#count(choice.delta!)) kind = 'content';
      // Some servers write an empty reason where others write null.
      if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') {
        this.#finished.add(choice.index ?? 0);
        this.finishReason = choice.finish_reason;
        if (this.#finished.size >= this.#choices) kind = 'finish';
        else if (kind !== 'finish') kind = 'partial_finish';
      }
    }
    return kind;
  }

  /** Adds the text of a delta; false when there is none in it (a role alone). */
  #count(delta: Record<string, unknown>): boolean {
    let found = false;
    for (const key in delta) {
      const value = delta[key];
      if (key === 'role' || value === null || value === '') continue;
      found = true;
      if (typeof value === 'string') this.outputBytes += value.length;
      else if (key === 'tool_calls' && Array.isArray(value)) {
        for (const call of value as readonly ({ function?: { name?: unknown; arguments?: unknown } | null } | null)[]) {
          this.outputBytes += lengthOf(call?.function?.name) + lengthOf(call?.function?.arguments);
        }
      }
    }
    return found;
  }
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}

function hasContent(delta: unknown): delta is Record<string, unknown> {
  return typeof delta === 'object' && delta !== null;
}

function readError(error: unknown): { type: string | undefined; message: string | undefined } {
  if (typeof error !== 'object' || error === null) return { type: undefined, message: String(error) };
  const { type, code, message } = error as Record<string, unknown>;
  const kind = typeof code === 'string' ? code : typeof type === 'string' ? type : undefined;
  return { type: kind, message: typeof message === 'string' ? message : undefined };
}

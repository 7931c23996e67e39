import { AttemptError, type AttemptResult } from '../../spec/index.ts';
import { isObject, textOf, type JsonObject } from '../json/index.ts';
import { malformed, toFinishReason, writeOpenaiUsage, type CallFacts, type StreamTranslation } from '../mapping/index.ts';
import { refusalOf } from './answer.ts';

interface OpenCall {
  readonly index: number;
  /** What `content_block_start` gave, used when no piece follows. */
  readonly input: unknown;
  hasPieces: boolean;
}

/** Turns the events of a message into chat completion chunks. */
export class ChunkTranslation implements StreamTranslation {
  readonly #facts: CallFacts;
  readonly #tellUsage: boolean;
  /** Tool calls by the index of their block, until it stops. */
  readonly #calls = new Map<unknown, OpenCall>();
  #callCount = 0;
  #id: string | undefined;
  #model: string | undefined;
  #opened = false;
  #stopReason: string | undefined;
  #refusal: string | null = null;

  constructor(facts: CallFacts) {
    this.#facts = facts;
    const options = facts.request.body.value['stream_options'];
    this.#tellUsage = isObject(options) && options['include_usage'] === true;
  }

  event(event: JsonObject): string {
    switch (event['type']) {
      case 'message_start':
        return this.#start(event['message']);
      case 'content_block_start':
        return this.#open() + this.#startBlock(event['index'], event['content_block']);
      case 'content_block_delta':
        return this.#open() + this.#piece(event['index'], event['delta']);
      case 'content_block_stop':
        return this.#stopBlock(event['index']);
      case 'message_delta':
        return this.#close(event['delta']);
      case 'error':
        throw new AttemptError('provider_failed', { detail: 'the provider sent an error in the stream' });
      default:
        // ping, message_stop, and what is yet to be invented.
        return '';
    }
  }

  end(result: AttemptResult): string {
    let out = this.#open();
    if (this.#refusal !== null) out += this.#delta({ refusal: this.#refusal });
    out += this.#chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: toFinishReason(this.#stopReason ?? result.finishReason) }]);
    if (this.#tellUsage && result.usage) out += this.#chunk([], writeOpenaiUsage(result.usage));
    return `${out}data: [DONE]\n\n`;
  }

  #start(message: unknown): string {
    if (isObject(message)) {
      this.#id = textOf(message['id']);
      this.#model = textOf(message['model']);
    }
    return this.#open();
  }

  #open(): string {
    if (this.#opened) return '';
    this.#opened = true;
    this.#id ??= this.#facts.newId();
    return this.#delta({ role: 'assistant', content: '', refusal: null });
  }

  #startBlock(blockIndex: unknown, block: unknown): string {
    if (!isObject(block)) throw malformed('a content block that is no object');
    switch (block['type']) {
      case 'text':
        return this.#text('content', block['text']);
      case 'thinking':
        return this.#text('reasoning_content', block['thinking']);
      case 'tool_use': {
        const id = textOf(block['id']);
        const name = textOf(block['name']);
        if (id === undefined || name === undefined) throw malformed('a tool call without id or name');
        const index = this.#callCount++;
        this.#calls.set(blockIndex, { index, input: block['input'], hasPieces: false });
        return this.#delta({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] });
      }
      default:
        return '';
    }
  }

  #piece(blockIndex: unknown, delta: unknown): string {
    if (!isObject(delta)) throw malformed('a delta that is no object');
    switch (delta['type']) {
      case 'text_delta':
        return this.#text('content', delta['text']);
      case 'thinking_delta':
        return this.#text('reasoning_content', delta['thinking']);
      case 'input_json_delta': {
        const call = this.#calls.get(blockIndex);
        const piece = textOf(delta['partial_json']);
        if (!call || piece === undefined) return '';
        call.hasPieces = true;
        return this.#arguments(call.index, piece);
      }
      default:
        return '';
    }
  }

  /** A call without arguments comes without pieces, or with an empty one; OpenAI's clients parse what they got. */
  #stopBlock(blockIndex: unknown): string {
    const call = this.#calls.get(blockIndex);
    this.#calls.delete(blockIndex);
    return call && !call.hasPieces ? this.#arguments(call.index, JSON.stringify(call.input ?? {})) : '';
  }

  #close(delta: unknown): string {
    if (!isObject(delta)) return '';
    this.#stopReason = textOf(delta['stop_reason']) ?? this.#stopReason;
    this.#refusal = refusalOf(this.#stopReason, delta['stop_details']) ?? this.#refusal;
    return '';
  }

  #text(field: 'content' | 'reasoning_content', value: unknown): string {
    const text = textOf(value);
    return text === undefined ? '' : this.#delta({ [field]: text });
  }

  #arguments(index: number, piece: string): string {
    return this.#delta({ tool_calls: [{ index, function: { arguments: piece } }] });
  }

  #delta(delta: JsonObject): string {
    return this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: null }]);
  }

  #chunk(choices: readonly JsonObject[], usage: JsonObject | null = null): string {
    const chunk: JsonObject = {
      id: `chatcmpl-${this.#id}`,
      object: 'chat.completion.chunk',
      created: this.#facts.createdSeconds,
      model: this.#model ?? this.#facts.request.model,
      choices,
    };
    // OpenAI puts `usage: null` on every other chunk, but only for those who asked.
    if (this.#tellUsage) chunk['usage'] = usage;
    return `data: ${JSON.stringify(chunk)}\n\n`;
  }
}

import { AttemptError, type AttemptResult } from '../../spec/index.ts';
import { isGiven, isObject, textOf, type JsonObject } from '../json/index.ts';
import { malformed, writeAnthropicUsage, type CallFacts, type StreamTranslation } from '../mapping/index.ts';
import { contentText, emptyMessage, missingCallId, writeEnding } from './answer.ts';
import { BlockQueue } from './block-queue.ts';

/** Turns chat completion chunks into the events of a message. */
export class MessageTranslation implements StreamTranslation {
  readonly #facts: CallFacts;
  readonly #blocks = new BlockQueue(
    (event) => this.#write(event),
    (index) => missingCallId(this.#id, index),
  );
  #out = '';
  #id = '';
  #opened = false;
  #finishReason: string | undefined;
  #refusal = '';

  constructor(facts: CallFacts) {
    this.#facts = facts;
  }

  event(chunk: JsonObject): string {
    if (isGiven(chunk['error'])) throw new AttemptError('provider_failed', { detail: 'the provider sent an error in the stream' });
    // Chunks without choices tell of usage or of a content filter; both come by other ways.
    const choice: unknown = Array.isArray(chunk['choices']) ? chunk['choices'].find(isFirstChoice) : undefined;
    if (!isObject(choice)) return '';
    this.#open(textOf(chunk['id']), textOf(chunk['model']));
    if (isObject(choice['delta'])) this.#piece(choice['delta']);
    this.#finishReason = textOf(choice['finish_reason']) ?? this.#finishReason;
    return this.#taken();
  }

  end(result: AttemptResult): string {
    this.#open(undefined, result.servedModel);
    const finishReason = this.#finishReason ?? result.finishReason;
    this.#blocks.end(finishReason === 'length');
    const refusal = this.#refusal === '' ? undefined : this.#refusal;
    this.#write({
      type: 'message_delta',
      delta: { ...writeEnding(finishReason, refusal, this.#blocks.hasToolCalls), container: null },
      usage: writeAnthropicUsage(result.usage),
    });
    this.#write({ type: 'message_stop' });
    return this.#taken();
  }

  #open(id: string | undefined, model: string | undefined): void {
    if (this.#opened) return;
    this.#opened = true;
    this.#id = id ?? this.#facts.newId();
    this.#write({ type: 'message_start', message: emptyMessage(this.#id, model ?? this.#facts.request.model) });
  }

  #piece(delta: JsonObject): void {
    const text = contentText(delta['content']);
    if (text !== undefined) this.#blocks.text(text);
    const refusal = textOf(delta['refusal']);
    if (refusal !== undefined) {
      this.#refusal += refusal;
      this.#blocks.text(refusal);
    }
    if (!Array.isArray(delta['tool_calls'])) return;
    delta['tool_calls'].forEach((call: unknown, position) => {
      if (!isObject(call)) throw malformed('a tool call that is no object');
      const target = isObject(call['function']) ? call['function'] : {};
      const index = typeof call['index'] === 'number' ? call['index'] : position;
      this.#blocks.call(index, textOf(call['id']), textOf(target['name']), textOf(target['arguments']) ?? '');
    });
  }

  #write(event: JsonObject): void {
    this.#out += `event: ${event['type'] as string}\ndata: ${JSON.stringify(event)}\n\n`;
  }

  #taken(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }
}

function isFirstChoice(choice: unknown): boolean {
  return isObject(choice) && (choice['index'] ?? 0) === 0;
}

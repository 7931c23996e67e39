import { parseObject, type JsonObject } from '../json/index.ts';
import { malformed } from '../mapping/index.ts';

interface QueuedBlock {
  /** Undefined for text. */
  readonly call: { id: string | undefined; name: string | undefined } | undefined;
  /** What came while another block was open. */
  waiting: string;
  /** A call's arguments so far; not kept for text. */
  received: string;
  started: boolean;
}

/**
 * Puts the pieces of an answer into Anthropic's order, in which one block ends before the next begins. OpenAI's tool calls
 * are told apart by an index and may, by the letter of the protocol, come in any mixture: a block is open until it is
 * known to be complete (text: when something else begins; a call: when its arguments are whole JSON), and what belongs to
 * later ones waits.
 */
export class BlockQueue {
  readonly #write: (event: JsonObject) => void;
  readonly #missingId: (index: number) => string;
  readonly #blocks: QueuedBlock[] = [];
  readonly #callsByIndex = new Map<number, number>();
  /** The block that is written to; those before it are closed. */
  #open = 0;

  constructor(write: (event: JsonObject) => void, missingId: (index: number) => string) {
    this.#write = write;
    this.#missingId = missingId;
  }

  get hasToolCalls(): boolean {
    return this.#callsByIndex.size > 0;
  }

  text(piece: string): void {
    const last = this.#blocks.at(-1);
    if (!last || last.call) this.#blocks.push({ call: undefined, waiting: '', received: '', started: false });
    this.#append(this.#blocks.length - 1, piece);
  }

  call(index: number, id: string | undefined, name: string | undefined, piece: string): void {
    let at = this.#callsByIndex.get(index);
    if (at === undefined) {
      at = this.#blocks.push({ call: { id, name }, waiting: '', received: '', started: false }) - 1;
      this.#callsByIndex.set(index, at);
    } else {
      const { call } = this.#blocks[at]!;
      call!.id ??= id;
      call!.name ??= name;
    }
    this.#append(at, piece);
  }

  /** Closes all blocks. `cut` when the answer reached its limit, so that the last arguments may be in pieces. */
  end(cut: boolean): void {
    for (; this.#open < this.#blocks.length; this.#open++) {
      const block = this.#blocks[this.#open]!;
      this.#start(block);
      if (!block.started) throw malformed('a tool call without a name');
      if (block.call && !cut && parseObject(block.received) === undefined) throw malformed('tool arguments that are no JSON object');
      this.#stop();
    }
  }

  #append(at: number, piece: string): void {
    const block = this.#blocks[at]!;
    if (at < this.#open) {
      if (piece.trim() !== '') throw malformed('more arguments for a tool call that was complete');
      return;
    }
    if (block.call) block.received += piece;
    if (at === this.#open && block.started) this.#delta(block, piece);
    else block.waiting += piece;
    this.#advance();
  }

  #advance(): void {
    for (;;) {
      const block = this.#blocks[this.#open]!;
      this.#start(block);
      if (this.#open === this.#blocks.length - 1 || !this.#isComplete(block)) return;
      this.#stop();
      this.#open++;
    }
  }

  #isComplete(block: QueuedBlock): boolean {
    if (!block.call) return true;
    // Nothing is not yet the empty object here. Parsed only when it may be whole, or a mixture of many small pieces would
    // cost a parse each.
    return block.started && block.received.trimEnd().endsWith('}') && parseObject(block.received) !== undefined;
  }

  #start(block: QueuedBlock): void {
    if (block.started) return;
    const { call } = block;
    if (call && call.name === undefined) return;
    block.started = true;
    const content_block = call
      ? { type: 'tool_use', id: call.id ?? this.#missingId(this.#open), name: call.name, input: {}, caller: { type: 'direct' } }
      : { type: 'text', text: '', citations: null };
    this.#write({ type: 'content_block_start', index: this.#open, content_block });
    this.#delta(block, block.waiting);
    block.waiting = '';
  }

  #delta(block: QueuedBlock, piece: string): void {
    if (piece === '') return;
    const delta = block.call ? { type: 'input_json_delta', partial_json: piece } : { type: 'text_delta', text: piece };
    this.#write({ type: 'content_block_delta', index: this.#open, delta });
  }

  #stop(): void {
    this.#write({ type: 'content_block_stop', index: this.#open });
  }
}

import type { Choice } from './answer.ts';
import type { Run } from './run.ts';

/** Writes the events of one stream. What is the same in each is written once: an answer has thousands. */
export class ChunkWriter {
  readonly done = 'data: [DONE]\n\n';
  readonly #run: Run;
  readonly #before: string;
  readonly #after: string;
  readonly #afterChoices: string;

  constructor(run: Run, withUsage: boolean) {
    this.#run = run;
    const start = JSON.stringify({
      id: run.newId('chatcmpl-'),
      object: 'chat.completion.chunk',
      created: Math.floor(run.clock.now() / 1000),
      model: run.model.name,
      system_fingerprint: 'fp_sandbox',
    });
    this.#before = `data: ${start.slice(0, -1)},"choices":[`;
    this.#afterChoices = withUsage ? ',"usage":' : '';
    // With usage asked for, every chunk but the last says that it has none.
    this.#after = withUsage ? '],"usage":null}\n\n' : ']}\n\n';
  }

  /** Says whose turn it is, and of a tool call its name; no text yet. */
  opening({ tool }: Choice, index: number): string {
    if (!tool) return this.#chunk(index, { role: 'assistant', content: '', refusal: null }, null);
    const id = this.#run.newId('call_');
    const call =
      tool.kind === 'custom'
        ? { index: 0, id, type: 'custom', custom: { name: tool.name, input: '' } }
        : { index: 0, id, type: 'function', function: { name: tool.name, arguments: '' } };
    return this.#chunk(index, { role: 'assistant', content: null, refusal: null, tool_calls: [call] }, null);
  }

  piece({ tool }: Choice, index: number, piece: string): string {
    if (!tool)
      return `${this.#before}{"index":${index},"delta":{"content":${JSON.stringify(piece)}},"logprobs":null,"finish_reason":null}${this.#after}`;
    const part = tool.kind === 'custom' ? { custom: { input: piece } } : { function: { arguments: piece } };
    return this.#chunk(index, { tool_calls: [{ index: 0, ...part }] }, null);
  }

  finish({ finishReason }: Choice, index: number): string {
    return this.#chunk(index, {}, finishReason);
  }

  usage(usage: object): string {
    return `${this.#before}]${this.#afterChoices}${JSON.stringify(usage)}}\n\n`;
  }

  #chunk(index: number, delta: object, finishReason: string | null): string {
    return `${this.#before}${JSON.stringify({ index, delta, logprobs: null, finish_reason: finishReason })}${this.#after}`;
  }
}

/** What an answer says, whichever dialect says it. */
export interface Meaning {
  text: string;
  calls: { id: string; name: string; input: string }[];
  ending: string | null;
  outputTokens: number | undefined;
}

/** Reads a stream of chat completion chunks as strictly as the protocol allows. */
export function readChunks(stream: string): Meaning {
  const events = dataOf(stream);
  expectThat(events.at(-1) === '[DONE]', 'ends with [DONE]');
  const meaning: Meaning = { text: '', calls: [], ending: null, outputTokens: undefined };
  events.slice(0, -1).forEach((data, position) => {
    const chunk = JSON.parse(data) as Chunk;
    expectThat(chunk.object === 'chat.completion.chunk' && chunk.id.startsWith('chatcmpl-'), 'is a chunk');
    if (chunk.usage) meaning.outputTokens = chunk.usage.completion_tokens;
    const [choice] = chunk.choices;
    if (!choice) return;
    expectThat(meaning.ending === null, 'has nothing behind the finish reason');
    expectThat((choice.delta.role === 'assistant') === (position === 0), 'names the role once, at the start');
    meaning.text += choice.delta.content ?? '';
    for (const piece of choice.delta.tool_calls ?? []) {
      const call = meaning.calls[piece.index];
      if (call) {
        call.input += piece.function.arguments;
      } else {
        expectThat(piece.index === meaning.calls.length && piece.type === 'function', 'numbers its calls in order');
        meaning.calls.push({ id: piece.id!, name: piece.function.name!, input: piece.function.arguments });
      }
    }
    meaning.ending = choice.finish_reason;
  });
  expectThat(meaning.ending !== null, 'has a finish reason');
  return meaning;
}

/** Reads a stream of Anthropic's events as strictly as the protocol allows: one block open at a time, in order. */
export function readEvents(stream: string): Meaning {
  const meaning: Meaning = { text: '', calls: [], ending: null, outputTokens: undefined };
  let state: 'before' | 'between' | 'inside' | 'finished' | 'after' = 'before';
  let blocks = 0;
  for (const data of dataOf(stream)) {
    const event = JSON.parse(data) as StreamEvent;
    expectThat(stream.includes(`event: ${event.type}\ndata: `), 'names its events');
    switch (event.type) {
      case 'message_start':
        expectThat(state === 'before' && event.message.id.startsWith('msg_'), 'starts once');
        state = 'between';
        break;
      case 'content_block_start':
        expectThat(state === 'between' && event.index === blocks, 'starts blocks in order, one at a time');
        state = 'inside';
        if (event.content_block.type === 'tool_use')
          meaning.calls.push({ id: event.content_block.id, name: event.content_block.name, input: '' });
        break;
      case 'content_block_delta':
        expectThat(state === 'inside' && event.index === blocks, 'writes only to the open block');
        if (event.delta.type === 'text_delta') meaning.text += event.delta.text;
        else meaning.calls.at(-1)!.input += event.delta.partial_json;
        break;
      case 'content_block_stop':
        expectThat(state === 'inside' && event.index === blocks, 'stops the open block');
        state = 'between';
        blocks++;
        break;
      case 'message_delta':
        expectThat(state === 'between', 'finishes with no block open');
        state = 'finished';
        meaning.ending = event.delta.stop_reason;
        meaning.outputTokens = event.usage.output_tokens;
        break;
      case 'message_stop':
        expectThat(state === 'finished', 'stops after it finished');
        state = 'after';
    }
  }
  expectThat(state === 'after', 'stops');
  return meaning;
}

function dataOf(stream: string): string[] {
  expectThat(stream.endsWith('\n\n'), 'ends with a whole event');
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6));
}

function expectThat(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the stream breaks the protocol: expected that it ${what}`);
}

interface Chunk {
  id: string;
  object: string;
  usage?: { completion_tokens: number } | null;
  choices: {
    finish_reason: string | null;
    delta: {
      role?: string;
      content?: string | null;
      tool_calls?: { index: number; id?: string; type?: string; function: { name?: string; arguments: string } }[];
    };
  }[];
}

type StreamEvent =
  | { type: 'message_start'; message: { id: string } }
  | { type: 'content_block_start'; index: number; content_block: { type: 'text' } | { type: 'tool_use'; id: string; name: string } }
  | {
      type: 'content_block_delta';
      index: number;
      delta: { type: 'text_delta'; text: string } | { type: 'input_json_delta'; partial_json: string };
    }
  | { type: 'content_block_stop'; index: number }
  | { type: 'message_delta'; delta: { stop_reason: string }; usage: { output_tokens: number } }
  | { type: 'message_stop' };

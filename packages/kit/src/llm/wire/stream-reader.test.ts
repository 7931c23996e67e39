import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cut } from '../../../test/support/cut.ts';
import type { AttemptHead, AttemptSink } from '../spec/index.ts';
import { AnthropicInspector } from './anthropic-inspector.ts';
import { OpenaiInspector } from './openai-inspector.ts';
import { StreamReader, type StreamReaderOptions } from './stream-reader.ts';

class Recorder implements AttemptSink {
  readonly calls: string[] = [];
  readonly chunks: Buffer[] = [];
  pulses = 0;
  connected(): void {}
  pulse(): void {
    this.pulses++;
  }
  head(_head: AttemptHead): void {
    this.calls.push('head');
  }
  data(bytes: Buffer): boolean {
    this.calls.push('data');
    this.chunks.push(Buffer.from(bytes));
    return true;
  }
  drained(): void {}
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

const head: AttemptHead = { headers: {} };
const openaiEnd = Buffer.from('data: [DONE]\n\n');

function openai(overrides: Partial<StreamReaderOptions> & { choices?: number } = {}) {
  const sink = new Recorder();
  const reader = new StreamReader({
    inspector: new OpenaiInspector(overrides.choices ?? 1),
    sink,
    head,
    dropUsageEvents: false,
    endMark: openaiEnd,
    endMarkSuffices: true,
    maxEventBytes: 10_000,
    classifyError: () => 'provider_failed',
    ...overrides,
  });
  return { sink, reader };
}

const event = (fields: object) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm-1', ...fields })}\n\n`;
const delta = (fields: object, finish: string | null = null, index = 0) =>
  event({ choices: [{ index, delta: fields, finish_reason: finish }] });
const opening = delta({ role: 'assistant', content: '' });
const usage = event({
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, prompt_tokens_details: { cached_tokens: 1 } },
});
const done = 'data: [DONE]\n\n';

describe('StreamReader over OpenAI’s wire', () => {
  const body = `: keep-alive\n\n${opening}${delta({ content: 'Hé' })}: ping\n\n${delta({ content: ' you' })}`;
  const tail = delta({}, 'stop') + usage + done;

  test('passes the same bytes on and holds the same end back however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (places) => {
        const { sink, reader } = openai();
        for (const chunk of cut(Buffer.from(body + tail), places)) reader.push(chunk);
        const result = reader.end();
        // What came before the first real event and said nothing is left out; all else is as it came.
        expect(sink.text).toBe(body.slice(': keep-alive\n\n'.length));
        expect(result.tail.toString()).toBe(tail);
        expect(sink.calls[0]).toBe('head');
        expect(result.usage).toEqual({
          promptTokens: 3,
          completionTokens: 2,
          cachedTokens: 1,
          cacheWriteTokens: 0,
          reasoningTokens: 0,
          source: 'provider',
        });
        expect(result).toMatchObject({ finishReason: 'stop', servedModel: 'm-1', outputBytes: 6 });
      }),
    );
  });

  test('says nothing before the first real event: comments and a role are none', () => {
    const { sink, reader } = openai();
    reader.push(Buffer.from(`: hello\n\n${opening}`));
    expect(sink.calls).toEqual([]);
    expect(sink.pulses).toBe(1);
    reader.push(Buffer.from(delta({ content: 'a' })));
    expect(sink.text).toBe(opening + delta({ content: 'a' }));
  });

  test('takes the usage event out again when the client did not ask for it', () => {
    const { sink, reader } = openai({ dropUsageEvents: true });
    reader.push(Buffer.from(body + tail));
    const result = reader.end();
    expect(sink.text + result.tail.toString()).not.toContain('prompt_tokens');
    expect(result.usage?.promptTokens).toBe(3);
  });

  test('of two choices the end of the first waits for the end of both, while the other goes on', () => {
    const { sink, reader } = openai({ choices: 2 });
    const before = delta({ content: 'a' });
    const firstEnd = delta({}, 'stop', 0);
    const after = delta({ content: 'b' }, null, 1);
    const last = delta({}, 'length', 1) + done;
    reader.push(Buffer.from(before + firstEnd + after + last));
    expect(sink.text).toBe(before + after);
    expect(reader.end().tail.toString()).toBe(firstEnd + last);
  });

  test('a provider that gives fewer choices than were asked for shows no end before the end either', () => {
    const { sink, reader } = openai({ choices: 3 });
    reader.push(Buffer.from(delta({ content: 'a' }) + delta({}, 'stop', 0) + usage + done));
    expect(sink.text).not.toContain('"stop"');
    expect(reader.end().tail.toString()).toContain('"stop"');
  });

  test('an answer that finishes at once has no head and comes whole as the tail', () => {
    const { sink, reader } = openai();
    reader.push(Buffer.from(opening + delta({}, 'stop') + done));
    expect(reader.end().tail.toString()).toBe(opening + delta({}, 'stop') + done);
    expect(sink.calls).toEqual([]);
  });

  test('adds the end mark that a provider left out', () => {
    const { reader } = openai();
    reader.push(Buffer.from(body + delta({}, 'stop')));
    expect(reader.end().tail.toString()).toBe(delta({}, 'stop') + done);
  });

  test('an end without finish is a cut that knows what was used', () => {
    const { reader } = openai();
    reader.push(Buffer.from(body));
    expect(() => reader.end()).toThrow(
      expect.objectContaining({ code: 'stream_cut', partial: { usage: undefined, outputBytes: 6, servedModel: 'm-1' } }),
    );
  });

  test('half an event at the end is a cut', () => {
    const { reader } = openai();
    reader.push(Buffer.from(body + 'data: {"choices":[{"finish_reason":"stop"'));
    expect(() => reader.end()).toThrow(expect.objectContaining({ code: 'stream_cut' }));
  });

  test('a broken event ends the stream and is not passed on', () => {
    const { sink, reader } = openai();
    expect(() => reader.push(Buffer.from(`${body}data: {"choices":[{]\n\n`))).toThrow(
      expect.objectContaining({ code: 'provider_malformed' }),
    );
    expect(sink.text).not.toContain('[{]');
    expect(sink.text).toContain(' you');
  });

  test('an error inside of the stream is one', () => {
    const { reader } = openai();
    expect(() => reader.push(Buffer.from(`${body}data: {"error":{"message":"overloaded","type":"server_error"}}\n\n`))).toThrow(
      expect.objectContaining({ code: 'provider_failed' }),
    );
  });

  test('text that looks like a finish is text', () => {
    const { sink, reader } = openai();
    const tricky = delta({ content: '","finish_reason":"stop"}]} data: [DONE]' });
    reader.push(Buffer.from(opening + tricky));
    expect(sink.text).toBe(opening + tricky);
    expect(() => reader.end()).toThrow(expect.objectContaining({ code: 'stream_cut' }));
  });

  test('what is held back is bounded', () => {
    const { reader } = openai({ maxEventBytes: 1_000 });
    reader.push(Buffer.from(delta({}, 'stop')));
    expect(() => {
      for (let index = 0; index < 100; index++) reader.push(Buffer.from(usage));
    }).toThrow(expect.objectContaining({ code: 'provider_too_large' }));
  });

  test('counts tool arguments and reasoning as output', () => {
    const { reader } = openai();
    reader.push(
      Buffer.from(
        delta({ tool_calls: [{ index: 0, function: { name: 'abc', arguments: '{"a":1}' } }] }) +
          delta({ reasoning_content: 'hm' }) +
          delta({}, 'tool_calls') +
          done,
      ),
    );
    expect(reader.end().outputBytes).toBe(12);
  });
});

describe('StreamReader over Anthropic’s wire', () => {
  const named = (type: string, fields: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const start = named('message_start', {
    message: {
      model: 'claude-x',
      usage: { input_tokens: 10, cache_read_input_tokens: 4, cache_creation_input_tokens: 2, output_tokens: 1 },
    },
  });
  const ping = named('ping', {});
  const text =
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) +
    named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hello' } }) +
    named('content_block_stop', { index: 0 });
  const finish = named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } });
  const stop = named('message_stop', {});

  function anthropic() {
    const sink = new Recorder();
    const reader = new StreamReader({
      inspector: new AnthropicInspector(),
      sink,
      head,
      dropUsageEvents: false,
      endMark: Buffer.from(stop),
      endMarkSuffices: false,
      maxEventBytes: 10_000,
      classifyError: (error) => (error.type === 'overloaded_error' ? 'provider_overloaded' : 'provider_failed'),
    });
    return { sink, reader };
  }

  test('holds back from message_delta on and counts what went through the cache as input', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (places) => {
        const { sink, reader } = anthropic();
        for (const chunk of cut(Buffer.from(start + ping + text + finish + stop), places)) reader.push(chunk);
        const result = reader.end();
        expect(sink.text).toBe(start + text);
        expect(result.tail.toString()).toBe(finish + stop);
        expect(result.usage).toEqual({
          promptTokens: 16,
          completionTokens: 7,
          cachedTokens: 4,
          cacheWriteTokens: 2,
          reasoningTokens: 0,
          source: 'provider',
        });
        expect(result).toMatchObject({ finishReason: 'end_turn', servedModel: 'claude-x', outputBytes: 5 });
      }),
    );
  });

  test('message_stop without a stop reason is no whole answer', () => {
    const { reader } = anthropic();
    reader.push(Buffer.from(start + text + stop));
    expect(() => reader.end()).toThrow(expect.objectContaining({ code: 'stream_cut' }));
  });

  test('its error event ends the stream with what was used so far', () => {
    const { reader } = anthropic();
    expect(() =>
      reader.push(Buffer.from(start + text + named('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }))),
    ).toThrow(
      expect.objectContaining({
        code: 'provider_overloaded',
        partial: expect.objectContaining({ outputBytes: 5, usage: expect.objectContaining({ promptTokens: 16 }) }),
      }),
    );
  });

  test('events of types that come later pass', () => {
    const { sink, reader } = anthropic();
    reader.push(Buffer.from(start + named('new_thing', { a: 1 }) + finish + stop));
    expect(sink.text).toContain('new_thing');
    expect(reader.end().finishReason).toBe('end_turn');
  });
});

import { Cancellation } from '../../../../src/time/index.ts';
import { readShallowBody } from '../../../../src/llm/spec/index.ts';
import { OpenaiInspector, StreamReader } from '../../../../src/llm/wire/index.ts';
import { describe, expect, test } from 'vitest';
import { RecordingSink, messages, start, setUp, type Completion, chunksOf, sdkOn } from './attempts.ts';

describe('streams', () => {
  test('come as token-sized pieces in the order of the contract, and end in the tail', async () => {
    const { provider } = setUp();
    const { sink, result } = start(provider, 'demo?tokens=12', { stream: true });
    const { tail, finishReason, usage, servedModel, outputBytes } = await result;
    expect(sink.calls.filter((call) => call !== 'pulse')).toEqual(['connected', 'head', ...Array<string>(12).fill('data')]);
    expect(sink.calls.slice(0, 4)).toEqual(['connected', 'pulse', 'head', 'data']);
    const content = chunksOf(sink.text)
      .map((chunk) => chunk.choices[0]!.delta.content)
      .filter((text) => text !== '');
    expect(content).toHaveLength(12);
    expect(chunksOf(sink.text).every((chunk) => chunk.choices[0]!.finish_reason === null)).toBe(true);
    expect(chunksOf(tail.toString())).toMatchObject([{ choices: [{ finish_reason: 'stop' }] }]);
    expect(tail.toString().endsWith('data: [DONE]\n\n')).toBe(true);
    expect({ finishReason, servedModel, outputBytes }).toEqual({
      finishReason: 'stop',
      servedModel: 'demo',
      outputBytes: Buffer.byteLength(content.join('')),
    });
    expect(usage).toMatchObject({ completionTokens: 12, source: 'provider' });
  });

  test('say the same as the plain answer', async () => {
    const { provider } = setUp();
    const plain = JSON.parse((await start(provider, 'demo?tokens=40').result).tail.toString()) as Completion;
    const { sink, result } = start(provider, 'demo?tokens=40', { stream: true });
    await result;
    expect(
      chunksOf(sink.text)
        .map((chunk) => chunk.choices[0]!.delta.content)
        .join(''),
    ).toBe(plain.choices[0]!.message.content);
  });

  test('tell usage in an event only when it was asked for, and in the result always', async () => {
    const { provider } = setUp();
    const stream = async (model: string, includeUsage: boolean) => {
      const { sink, result } = start(provider, model, { stream: true, ...(includeUsage && { stream_options: { include_usage: true } }) });
      const { tail, usage } = await result;
      return { before: chunksOf(sink.text), after: chunksOf(tail.toString()), usage };
    };
    const asked = await stream('demo?tokens=3', true);
    expect(asked.before.every((chunk) => chunk.usage === null)).toBe(true);
    expect(asked.after.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
    const unasked = await stream('demo?tokens=3', false);
    expect([...unasked.before, ...unasked.after].some((chunk) => 'usage' in chunk)).toBe(false);
    expect(unasked.usage).toMatchObject({ completionTokens: 3 });
    const none = await stream('demo?usage=none', true);
    expect([none.usage, none.after.length]).toEqual([undefined, 1]);
  });

  test('of several choices all finish in the tail', async () => {
    const { provider } = setUp();
    // The same text for each, so that both end in the same round.
    const { sink, result } = start(provider, 'echo', { stream: true, n: 2 });
    const { tail } = await result;
    const finished = (text: string) =>
      chunksOf(text).flatMap((chunk) => chunk.choices.filter((choice) => choice.finish_reason !== null).map((choice) => choice.index));
    expect([finished(sink.text), finished(tail.toString())]).toEqual([[], [0, 1]]);
    expect(
      chunksOf(sink.text)
        .filter((chunk) => chunk.choices[0]!.delta.role)
        .map((chunk) => chunk.choices[0]!.index),
    ).toEqual([0, 1]);
  });

  test('without a single token go out whole in the tail, opening first, and call no head', async () => {
    const { provider } = setUp();
    const { sink, result } = start(provider, 'echo', { stream: true, stop: ['g'], n: 2 });
    const { tail } = await result;
    expect(sink.calls.filter((call) => call !== 'pulse')).toEqual(['connected']);
    expect(chunksOf(tail.toString()).map((chunk) => [chunk.choices[0]!.index, chunk.choices[0]!.finish_reason])).toEqual([
      [0, null],
      [1, null],
      [0, 'stop'],
      [1, 'stop'],
    ]);
  });

  test('are what the reader of real providers takes for whole', async () => {
    const { provider } = setUp();
    const { sink, result } = start(provider, 'demo?tokens=20', { stream: true, n: 2, stream_options: { include_usage: true } });
    const { tail, usage } = await result;
    const reader = new StreamReader({
      inspector: new OpenaiInspector(2),
      sink: new RecordingSink(),
      head: { headers: {} },
      dropUsageEvents: false,
      endMark: Buffer.from('data: [DONE]\n\n'),
      endMarkSuffices: false,
      maxEventBytes: 1_000_000,
      classifyError: () => 'provider_failed',
    });
    for (const bytes of sink.bytes) reader.push(bytes);
    reader.push(tail);
    expect(reader.end()).toMatchObject({ usage, finishReason: 'stop', servedModel: 'demo', tail });
  });

  test('the official SDK reads them', async () => {
    const client = sdkOn(setUp().provider);
    const stream = await client.chat.completions.create({
      model: 'echo',
      messages: [{ role: 'user', content: 'grüß dich 👋' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    expect(text).toBe('grüß dich 👋');
    expect(tokens).toBeGreaterThan(2);
  });

  test('stop while the reader is behind, and go on when it has caught up', async () => {
    const { provider } = setUp();
    const sink = new RecordingSink();
    sink.takes = 3;
    const body = readShallowBody(Buffer.from(JSON.stringify({ messages })));
    let whole = false;
    const result = provider
      .attempt(
        { operation: 'chat', dialect: 'openai', model: 'demo?tokens=8', stream: true, body, headers: {}, cancellation: new Cancellation() },
        sink,
      )
      .then(() => (whole = true));
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    await settle();
    expect([sink.bytes.length, whole]).toEqual([3, false]);
    sink.drain(2);
    await settle();
    expect([sink.bytes.length, whole]).toEqual([5, false]);
    sink.drain(100);
    await result;
    expect(sink.bytes).toHaveLength(8);
  });
});

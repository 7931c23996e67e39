import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnthropicInspector, OpenaiInspector, type StreamInspector } from './index.ts';

const anything = fc.jsonValue({ maxDepth: 2 });
const maybe = (member: fc.Arbitrary<unknown>) => fc.oneof(member, anything);
/** An object that has some of these members, each as it should be or as anything at all. */
const shape = (members: Record<string, fc.Arbitrary<unknown>>) =>
  maybe(fc.record(Object.fromEntries(Object.entries(members).map(([name, member]) => [name, maybe(member)])), { requiredKeys: [] }));

const call = shape({ index: fc.nat(3), function: shape({ name: fc.string(), arguments: fc.string() }) });
const delta = shape({ role: fc.string(), content: fc.string(), tool_calls: fc.array(call, { maxLength: 3 }) });
const choice = shape({ index: fc.nat(3), finish_reason: fc.constantFrom('stop', null), delta });
const usage = shape({
  prompt_tokens: fc.integer(),
  input_tokens: fc.integer(),
  output_tokens: fc.integer(),
  cache_read_input_tokens: fc.integer(),
});
const error = shape({ type: fc.string(), code: fc.string(), message: fc.string() });
const openaiEvent = shape({ model: fc.string(), choices: fc.array(choice, { maxLength: 3 }), usage, error });
const anthropicEvent = shape({
  type: fc.constantFrom('message_start', 'content_block_start', 'content_block_delta', 'message_delta', 'message_stop', 'error', 'ping'),
  message: shape({ model: fc.string(), usage }),
  delta: shape({ stop_reason: fc.string(), text: fc.string(), partial_json: fc.string(), thinking: fc.string() }),
  usage,
  error,
});

const optionalText = (value: unknown) => value === undefined || typeof value === 'string';

describe.each<[string, () => StreamInspector, fc.Arbitrary<unknown>]>([
  ['OpenAI', () => new OpenaiInspector(1), openaiEvent],
  ['Anthropic', () => new AnthropicInspector(), anthropicEvent],
])('events of %s, of whatever form', (_dialect, create, event) => {
  test('leave nothing behind that is not what its type says', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), (events) => {
        const inspector = create();
        for (const each of events) inspector.inspect(undefined, JSON.stringify(each));
        expect(Number.isSafeInteger(inspector.outputBytes)).toBe(true);
        expect([inspector.servedModel, inspector.finishReason, inspector.error?.type, inspector.error?.message].every(optionalText)).toBe(
          true,
        );
        for (const count of Object.values(inspector.usage ?? {}))
          if (count !== 'provider') expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

import { expect, test } from 'vitest';
import { saysUnsuited } from './unsuited.ts';

test.each([
  [400, 'This model does not support assistant message prefill. The conversation must end with a user message.', true],
  [400, 'Prefilling assistant messages is not supported for this model.', true],
  [400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", true],
  [400, 'registry.ollama.ai/library/llama3:latest does not support tools', true],
  [404, 'model "llama9" not found, try pulling it first', true],
  [404, 'The model `x` does not exist.', true],
  [422, 'Image inputs are not supported', true],
  [400, "Invalid value for 'temperature': must be at most 2.", false],
  [400, 'messages: at least one message is required', false],
  [500, 'This model does not support anything today', false],
  [400, undefined, false],
])('%i %s', (status, message, unsuited) => {
  expect(saysUnsuited(status, { type: undefined, message })).toBe(unsuited);
});

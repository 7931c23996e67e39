import type { AttemptResult } from '../../spec/index.ts';
import { readPrompt } from './prompt.ts';
import type { Run } from './run.ts';

/**
 * Answers Anthropic's count_tokens, in its shape: no other wire has the operation, so there is nothing to translate.
 * Counts the messages of either dialect. To count uses nothing.
 */
export async function countTokens(run: Run): Promise<AttemptResult> {
  const { tokens } = readPrompt(run.request.body.value);
  await run.begin();
  await run.beforeEnd();
  run.sink.pulse();
  return {
    head: { headers: {} },
    tail: Buffer.from(JSON.stringify({ input_tokens: tokens })),
    usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, source: 'provider' },
    finishReason: undefined,
    servedModel: run.model.name,
    outputBytes: 0,
  };
}

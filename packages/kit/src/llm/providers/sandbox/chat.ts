import type { AttemptHead, AttemptResult, Usage } from '../../spec/index.ts';
import { makeChoices, type Choice } from './answer.ts';
import { readChatRequest, type ChatRequest } from './chat-request.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { Run } from './run.ts';

const head: AttemptHead = Object.freeze({ headers: Object.freeze({}) });

/** Answers a chat request. What is wrong with the request is found before any wait, as a provider does it. */
export async function chat(run: Run): Promise<AttemptResult> {
  const request = readChatRequest(run.request.body.value);
  const choices = makeChoices(request, run.model.name, run.settings);
  await run.begin();
  return run.request.stream ? streamed(run, request, choices) : plain(run, request, choices);
}

async function plain(run: Run, request: ChatRequest, choices: readonly Choice[]): Promise<AttemptResult> {
  // Nothing of a plain answer is there before all of it is: it takes as long as its stream would, or until its fault.
  const rounds = Math.max(...choices.map((choice) => choice.pieces.length));
  await run.waits.pause(Math.min(Math.max(0, rounds - 1), run.faultAfter) * run.settings.delayMs);
  await run.beforeEnd();
  for (const choice of choices) run.said(choice.pieces.join(''));
  const usage = run.settings.usage === 'none' ? undefined : usageOf(request, choices);
  const body = {
    id: run.newId('chatcmpl-'),
    object: 'chat.completion',
    created: Math.floor(run.clock.now() / 1000),
    model: run.model.name,
    choices: choices.map((choice, index) => ({
      index,
      message: messageOf(run, choice),
      logprobs: null,
      finish_reason: choice.finishReason,
    })),
    ...(usage && { usage: wireUsage(usage) }),
    system_fingerprint: 'fp_sandbox',
  };
  run.sink.pulse();
  return result(run, Buffer.from(JSON.stringify(body)), usage, choices);
}

function messageOf(run: Run, { tool, pieces }: Choice): object {
  const text = pieces.join('');
  if (!tool) return { role: 'assistant', content: text, refusal: null, annotations: [] };
  const id = run.newId('call_');
  const call =
    tool.kind === 'custom'
      ? { id, type: 'custom', custom: { name: tool.name, input: text } }
      : { id, type: 'function', function: { name: tool.name, arguments: text } };
  return { role: 'assistant', content: null, refusal: null, tool_calls: [call] };
}

/** Pieces go out round by round, one of each choice, as OpenAI interleaves its choices. */
async function streamed(run: Run, request: ChatRequest, choices: readonly Choice[]): Promise<AttemptResult> {
  const { sink, settings } = run;
  const usage = settings.usage === 'none' ? undefined : usageOf(request, choices);
  const writer = new ChunkWriter(run, request.includeUsage && usage !== undefined);
  const startedMs = run.clock.monotonic();
  const rounds = Math.max(...choices.map((choice) => choice.pieces.length));
  // The last to finish: of those with the most pieces the one at the end. Its finish is the answer's.
  const last = choices.findLastIndex((choice) => choice.pieces.length === rounds);
  let ends = '';
  let waiting: string | undefined = choices.map((choice, index) => writer.opening(choice, index)).join('');
  sink.pulse();
  const send = async (text: string) => {
    const bytes = Buffer.from((waiting ?? '') + text);
    sink.pulse();
    if (waiting !== undefined) sink.head(head);
    waiting = undefined;
    if (!sink.data(bytes)) await run.waits.drained(sink);
    else await run.waits.step();
  };
  for (let round = 0; round <= rounds; round++) {
    if (round > 0 && round < rounds) await run.waits.until(startedMs + round * settings.delayMs);
    for (const [index, choice] of choices.entries()) {
      const piece = choice.pieces[round];
      if (piece !== undefined) {
        await run.beforeToken();
        await send(writer.piece(choice, index, piece));
        run.said(piece);
      } else if (round === choice.pieces.length && index !== last) {
        // The end of one choice waits for the end of all: clients take it for that choice's last word.
        ends += writer.finish(choice, index);
      }
    }
  }
  await run.beforeEnd();
  const end =
    ends + writer.finish(choices[last]!, last) + (usage && request.includeUsage ? writer.usage(wireUsage(usage)) : '') + writer.done;
  sink.pulse();
  return result(run, Buffer.from((waiting ?? '') + end), usage, choices);
}

function result(run: Run, tail: Buffer, usage: Usage | undefined, choices: readonly Choice[]): AttemptResult {
  return { head, tail, usage, finishReason: choices.at(-1)?.finishReason, servedModel: run.model.name, outputBytes: run.outputBytes };
}

function usageOf({ prompt }: ChatRequest, choices: readonly Choice[]): Usage {
  return {
    promptTokens: prompt.tokens,
    completionTokens: choices.reduce((sum, choice) => sum + choice.pieces.length, 0),
    cachedTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    source: 'provider',
  };
}

function wireUsage(usage: Usage): object {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  };
}

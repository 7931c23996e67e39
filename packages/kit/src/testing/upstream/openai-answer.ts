import type { UpstreamBehaviour } from './behaviour.ts';
import type { ScriptRequest } from './script-request.ts';
import { scriptedPieces, scriptedText, scriptedUsage, toolArguments, toolPieces } from './scripted-text.ts';

const answerId = 'chatcmpl-scripted';
const createdSeconds = 1_767_225_600;
const toolCallId = 'call_scripted';

function choicesOf(request: ScriptRequest, behaviour: UpstreamBehaviour): number {
  return behaviour.choices ?? request.choices;
}

function usageOf(request: ScriptRequest, behaviour: UpstreamBehaviour): unknown {
  if (behaviour.usage === 'wrong') return { prompt_tokens: -5, completion_tokens: 1.5, total_tokens: 'many' };
  const usage = scriptedUsage(behaviour, choicesOf(request, behaviour));
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function finishOf(behaviour: UpstreamBehaviour): string {
  return behaviour.finish ?? (behaviour.tool === undefined ? 'stop' : 'tool_calls');
}

export function openaiBody(request: ScriptRequest, behaviour: UpstreamBehaviour): string {
  const message =
    behaviour.tool === undefined
      ? { role: 'assistant', content: scriptedText(behaviour), refusal: null, annotations: [] }
      : {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [{ id: toolCallId, type: 'function', function: { name: behaviour.tool, arguments: toolArguments(behaviour) } }],
        };
  return JSON.stringify({
    id: answerId,
    object: 'chat.completion',
    created: createdSeconds,
    model: request.model,
    choices: Array.from({ length: choicesOf(request, behaviour) }, (_, index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: finishOf(behaviour),
    })),
    ...(behaviour.usage === 'missing' ? {} : { usage: usageOf(request, behaviour) }),
    service_tier: 'default',
    system_fingerprint: 'fp_scripted',
  });
}

/** Each with its blank line; the choices interleaved piece by piece, as OpenAI does it. */
export function openaiEvents(request: ScriptRequest, behaviour: UpstreamBehaviour): string[] {
  const events: string[] = [];
  const usageAsked = request.includeUsage && behaviour.usage !== 'missing';
  const choices = choicesOf(request, behaviour);
  const push = (choicesPart: readonly unknown[], usage: unknown) =>
    void events.push(
      `data: ${JSON.stringify({
        id: answerId,
        object: 'chat.completion.chunk',
        created: createdSeconds,
        model: request.model,
        service_tier: 'default',
        system_fingerprint: 'fp_scripted',
        choices: choicesPart,
        ...(usageAsked ? { usage } : {}),
      })}\n\n`,
    );
  const pushChoices = (delta: unknown, finishReason: string | null) => {
    for (let index = 0; index < choices; index++) push([{ index, delta, logprobs: null, finish_reason: finishReason }], null);
  };
  if (behaviour.tool === undefined) {
    pushChoices({ role: 'assistant', content: '', refusal: null }, null);
    for (const content of scriptedPieces(behaviour)) pushChoices({ content }, null);
  } else {
    const name = behaviour.tool;
    pushChoices(
      { role: 'assistant', content: null, tool_calls: [{ index: 0, id: toolCallId, type: 'function', function: { name, arguments: '' } }] },
      null,
    );
    for (const piece of toolPieces(behaviour)) pushChoices({ tool_calls: [{ index: 0, function: { arguments: piece } }] }, null);
  }
  pushChoices({}, finishOf(behaviour));
  if (usageAsked) push([], usageOf(request, behaviour));
  if (behaviour.endMark !== false) events.push('data: [DONE]\n\n');
  return events;
}

export function openaiEmbeddings(request: ScriptRequest, behaviour: UpstreamBehaviour): string {
  const { input, dimensions, encoding_format: format } = request.body;
  const inputs = Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1;
  const length = typeof dimensions === 'number' ? dimensions : 8;
  return JSON.stringify({
    object: 'list',
    data: Array.from({ length: inputs }, (_, index) => {
      // A unit vector along one axis: the test that gets it back knows which input it belongs to.
      const vector = Float32Array.from({ length }, (_unused, at) => (at === index % length ? 1 : 0));
      return { object: 'embedding', index, embedding: format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector] };
    }),
    model: request.model,
    ...(behaviour.usage === 'missing'
      ? {}
      : { usage: { prompt_tokens: behaviour.promptTokens ?? inputs * 4, total_tokens: behaviour.promptTokens ?? inputs * 4 } }),
  });
}

import type { UpstreamBehaviour } from './behaviour.ts';
import type { ScriptRequest } from './script-request.ts';
import { scriptedPieces, scriptedText, scriptedUsage, toolArguments, toolPieces } from './scripted-text.ts';

const answerId = 'msg_scripted';
const toolCallId = 'toolu_scripted';

function stopReasonOf(behaviour: UpstreamBehaviour): string {
  return behaviour.finish ?? (behaviour.tool === undefined ? 'end_turn' : 'tool_use');
}

/** Anthropic's `input_tokens` leave out what was read from the cache. */
function usageOf(behaviour: UpstreamBehaviour, outputTokens: number | undefined): unknown {
  if (behaviour.usage === 'wrong') return { input_tokens: -5, output_tokens: 'many', cache_read_input_tokens: 1.5 };
  const usage = scriptedUsage(behaviour, 1);
  return {
    input_tokens: usage.promptTokens - usage.cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cachedTokens,
    output_tokens: outputTokens ?? usage.completionTokens,
    service_tier: 'standard',
  };
}

export function anthropicBody(request: ScriptRequest, behaviour: UpstreamBehaviour): string {
  return JSON.stringify({
    id: answerId,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content:
      behaviour.tool === undefined
        ? [{ type: 'text', text: scriptedText(behaviour) }]
        : [{ type: 'tool_use', id: toolCallId, name: behaviour.tool, input: JSON.parse(toolArguments(behaviour)) as unknown }],
    stop_reason: stopReasonOf(behaviour),
    stop_sequence: null,
    ...(behaviour.usage === 'missing' ? {} : { usage: usageOf(behaviour, undefined) }),
  });
}

export function anthropicEvents(request: ScriptRequest, behaviour: UpstreamBehaviour): string[] {
  const events: string[] = [];
  const push = (type: string, rest: object) => void events.push(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
  const missing = behaviour.usage === 'missing';
  push('message_start', {
    message: {
      id: answerId,
      type: 'message',
      role: 'assistant',
      model: request.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      ...(missing ? {} : { usage: usageOf(behaviour, 1) }),
    },
  });
  if (behaviour.tool === undefined) {
    push('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    for (const text of scriptedPieces(behaviour)) push('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
  } else {
    push('content_block_start', { index: 0, content_block: { type: 'tool_use', id: toolCallId, name: behaviour.tool, input: {} } });
    for (const partial of toolPieces(behaviour))
      push('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: partial } });
  }
  push('content_block_stop', { index: 0 });
  push('message_delta', {
    delta: { stop_reason: stopReasonOf(behaviour), stop_sequence: null },
    ...(missing
      ? {}
      : {
          usage:
            behaviour.usage === 'wrong' ? usageOf(behaviour, undefined) : { output_tokens: scriptedUsage(behaviour, 1).completionTokens },
        }),
  });
  if (behaviour.endMark !== false) push('message_stop', {});
  return events;
}

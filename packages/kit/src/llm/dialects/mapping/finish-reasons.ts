// A reason that is not known may well mean that the answer is not whole (`pause_turn`, a server that ran out of
// resources): it is shown as cut by length in both directions, never as finished.

const openaiByAnthropic: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

const anthropicByOpenai: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
};

/** OpenAI's `finish_reason`. */
export function toFinishReason(stopReason: string | undefined): string {
  return (stopReason !== undefined && lookUp(openaiByAnthropic, stopReason)) || 'length';
}

export interface Ending {
  readonly hasToolCalls: boolean;
  readonly refused: boolean;
}

/** Anthropic's `stop_reason`. OpenAI says `stop` also for a tool that was forced by name, and servers like it always do. */
export function toStopReason(finishReason: string | undefined, ending: Ending): string {
  if (ending.refused) return 'refusal';
  // Only a provider whose end mark suffices leaves the reason out, and then the answer is whole.
  if (finishReason === undefined || finishReason === 'stop') return ending.hasToolCalls ? 'tool_use' : 'end_turn';
  return lookUp(anthropicByOpenai, finishReason) ?? 'max_tokens';
}

function lookUp(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

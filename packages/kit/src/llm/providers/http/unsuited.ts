import type { UpstreamError } from './wire-profile.ts';

/**
 * Words by which providers say that it is the model that cannot do what was asked, and not the request that is wrong:
 * "This model does not support assistant message prefill" (Anthropic), "'temperature' is not supported with this model" (OpenAI),
 * "llama3 does not support tools" and "model 'x' not found" (Ollama), "The model `x` does not exist" (vLLM).
 */
const unsuited =
  /prefill|(?:does|do) not support|not supported (?:by|for|with|in|on) (?:this|the|your)|(?:is|are) not supported\b|model\b.{0,80}\b(?:not found|does not exist)/i;

/** Another target may have the model, or one that can. */
export function saysUnsuited(status: number, { message }: UpstreamError): boolean {
  return (status === 400 || status === 404 || status === 422) && message !== undefined && unsuited.test(message.slice(0, 1000));
}

import type { AttemptRequest } from '../../spec/index.ts';
import { checkMembers, Findings, openaiToAnthropicFields } from '../fields/index.ts';
import { exactBody, isGiven, isObject, textOf, type JsonObject } from '../json/index.ts';
import { type RequestSettings } from '../mapping/index.ts';
import { toConversation } from './conversation.ts';
import { toToolFields } from './tools.ts';

/** A Chat Completions body as one of the Messages API. */
export function toAnthropicRequest(request: AttemptRequest, settings: RequestSettings): JsonObject {
  const body = exactBody(request.body.bytes, request.body.value);
  const findings = new Findings();
  checkMembers(body, openaiToAnthropicFields, findings);
  const { system, messages } = toConversation(body['messages'], findings);
  const thinking = isObject(body['thinking']) ? body['thinking'] : undefined;
  const out: JsonObject = { model: request.model, max_tokens: maxTokens(body, thinking, settings, findings) };
  if (system !== undefined) out['system'] = system;
  out['messages'] = messages;
  Object.assign(out, toToolFields(body, findings), sampling(body, findings), output(body, thinking, findings));
  const userId = textOf(body['safety_identifier']) ?? textOf(body['user']);
  if (userId !== undefined) out['metadata'] = { user_id: userId };
  if (isGiven(body['service_tier'])) out['service_tier'] = serviceTier(body['service_tier'], findings);
  if (request.stream) out['stream'] = true;
  findings.throwIfAny();
  return out;
}

function maxTokens(body: Readonly<JsonObject>, thinking: JsonObject | undefined, settings: RequestSettings, findings: Findings): number {
  for (const field of ['max_completion_tokens', 'max_tokens']) {
    const value = body[field];
    if (!isGiven(value)) continue;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
    findings.invalid(field, 'must be a whole number above 0');
    return settings.defaultMaxTokens;
  }
  // Thinking is paid out of max_tokens, and a budget that is not below it is an error.
  const budget = thinking?.['budget_tokens'];
  return settings.defaultMaxTokens + (typeof budget === 'number' ? budget : 0);
}

function sampling(body: Readonly<JsonObject>, findings: Findings): JsonObject {
  const out: JsonObject = {};
  for (const field of ['temperature', 'top_p', 'top_k']) {
    const value = body[field];
    if (!isGiven(value)) continue;
    if (typeof value !== 'number') findings.invalid(field, 'must be a number');
    else if (field === 'temperature' && value > 1) findings.unsupported(field, 'Anthropic takes 0 to 1');
    else out[field] = value;
  }
  const stop = stopSequences(body['stop'], findings);
  if (stop.length > 0) out['stop_sequences'] = stop;
  return out;
}

function stopSequences(stop: unknown, findings: Findings): string[] {
  if (!isGiven(stop)) return [];
  const sequences: unknown[] = Array.isArray(stop) ? stop : [stop];
  return sequences.filter((sequence, index): sequence is string => {
    const path = Array.isArray(stop) ? `stop[${index}]` : 'stop';
    if (typeof sequence !== 'string') findings.invalid(path, 'must be a string');
    else if (sequence === '') return false;
    else if (sequence.trim() === '') findings.unsupported(path, 'Anthropic takes no sequence of white space alone');
    return true;
  });
}

const effortByReasoningEffort: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
};

function output(body: Readonly<JsonObject>, thinking: JsonObject | undefined, findings: Findings): JsonObject {
  const config: JsonObject = {};
  const out: JsonObject = {};
  const effort = body['reasoning_effort'];
  if (isGiven(body['thinking']) && thinking === undefined) findings.invalid('thinking', 'must be an object');
  if (thinking !== undefined) out['thinking'] = thinking;
  else if (effort === 'none') out['thinking'] = { type: 'disabled' };
  if (isGiven(effort) && effort !== 'none') {
    if (typeof effort === 'string' && Object.hasOwn(effortByReasoningEffort, effort)) config['effort'] = effortByReasoningEffort[effort];
    else findings.unsupported('reasoning_effort', 'not a value with a counterpart');
  }
  const format = outputFormat(body['response_format'], findings);
  if (format !== undefined) config['format'] = format;
  if (Object.keys(config).length > 0) out['output_config'] = config;
  return out;
}

function outputFormat(format: unknown, findings: Findings): JsonObject | undefined {
  if (!isGiven(format)) return undefined;
  const type = isObject(format) ? format['type'] : undefined;
  if (type === 'text') return undefined;
  if (type !== 'json_schema') {
    findings.unsupported('response_format.type', 'Anthropic knows only formats with a schema: use json_schema');
    return undefined;
  }
  const definition = (format as JsonObject)['json_schema'];
  const schema = isObject(definition) ? definition['schema'] : undefined;
  if (!isObject(schema)) {
    findings.unsupported('response_format.json_schema.schema', 'Anthropic needs the schema');
    return undefined;
  }
  return { type: 'json_schema', schema };
}

function serviceTier(tier: unknown, findings: Findings): string | undefined {
  if (tier === 'auto') return 'auto';
  if (tier === 'default') return 'standard_only';
  findings.unsupported('service_tier', 'this tier has no counterpart');
  return undefined;
}

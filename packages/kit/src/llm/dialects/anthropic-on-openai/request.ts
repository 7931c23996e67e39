import type { AttemptRequest } from '../../spec/index.ts';
import { anthropicToOpenaiFields, checkMembers, Findings } from '../fields/index.ts';
import { exactBody, isGiven, isObject, textOf, type JsonObject } from '../json/index.ts';
import { portableUserId, type RequestSettings } from '../mapping/index.ts';
import { toMessages } from './messages.ts';
import { toReasoning } from './reasoning.ts';
import { toToolFields } from './tools.ts';

/**
 * A Messages body as one of Chat Completions. Usage on streams is not asked for here: the provider does that for every
 * call, since not every server that is like OpenAI's takes the question.
 */
export function toOpenaiRequest(request: AttemptRequest, settings: RequestSettings): JsonObject {
  const body = exactBody(request.body.bytes, request.body.value);
  const findings = new Findings();
  checkMembers(body, anthropicToOpenaiFields, findings);
  const out: JsonObject = { model: request.model, messages: toMessages(body['system'], body['messages'], findings) };
  if (isGiven(body['max_tokens'])) out[settings.maxTokensField] = maxTokens(body['max_tokens'], findings);
  Object.assign(
    out,
    sampling(body, findings),
    toToolFields(body, findings),
    toReasoning(body['thinking'], body['output_config'], findings),
  );
  const format = responseFormat(body['output_config'], findings);
  if (format) out['response_format'] = format;
  const userId = isObject(body['metadata']) ? textOf(body['metadata']['user_id']) : undefined;
  if (userId !== undefined) out['user'] = portableUserId(userId);
  if (isGiven(body['service_tier'])) out['service_tier'] = serviceTier(body['service_tier'], findings);
  if (request.stream) out['stream'] = true;
  findings.throwIfAny();
  return out;
}

function maxTokens(value: unknown, findings: Findings): unknown {
  if (value === 0) findings.unsupported('max_tokens', '0 warms a cache that this provider does not have');
  else if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    findings.invalid('max_tokens', 'must be a whole number above 0');
  return value;
}

function sampling(body: Readonly<JsonObject>, findings: Findings): JsonObject {
  const out: JsonObject = {};
  for (const field of ['temperature', 'top_p']) {
    const value = body[field];
    if (!isGiven(value)) continue;
    if (typeof value === 'number') out[field] = value;
    else findings.invalid(field, 'must be a number');
  }
  const stop = body['stop_sequences'];
  if (!isGiven(stop)) return out;
  if (!Array.isArray(stop) || !stop.every((sequence) => typeof sequence === 'string'))
    findings.invalid('stop_sequences', 'must be a list of strings');
  else if (stop.length > 4) findings.unsupported('stop_sequences', 'OpenAI takes four at most');
  else if (stop.length > 0) out['stop'] = stop;
  return out;
}

function responseFormat(outputConfig: unknown, findings: Findings): JsonObject | undefined {
  const format = isObject(outputConfig) ? outputConfig['format'] : undefined;
  if (!isGiven(format)) return undefined;
  if (!isObject(format) || format['type'] !== 'json_schema' || !isObject(format['schema'])) {
    findings.unsupported('output_config.format', 'only a json_schema with its schema has a counterpart');
    return undefined;
  }
  // Strict, because Anthropic's formats always are; OpenAI wants a name, which no answer shows.
  return { type: 'json_schema', json_schema: { name: 'response', schema: format['schema'], strict: true } };
}

function serviceTier(tier: unknown, findings: Findings): string | undefined {
  if (tier === 'auto') return 'auto';
  if (tier === 'standard_only') return 'default';
  findings.unsupported('service_tier', 'this tier has no counterpart');
  return undefined;
}

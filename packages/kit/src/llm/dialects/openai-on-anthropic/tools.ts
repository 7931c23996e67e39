import type { Findings } from '../fields/index.ts';
import { isGiven, isObject, type JsonObject } from '../json/index.ts';
import { toInputSchema } from '../mapping/index.ts';

/** `tools` and `tool_choice` for Anthropic; nothing when the client offers no tools. */
export function toToolFields(body: Readonly<JsonObject>, findings: Findings): JsonObject {
  const given = body['tools'];
  if (isGiven(given) && !Array.isArray(given)) findings.invalid('tools', 'must be a list');
  const tools = (Array.isArray(given) ? given : []).map((tool, index) => toTool(tool, index, findings));
  const choice = toChoice(body['tool_choice'], findings);
  if (tools.length === 0) {
    // OpenAI ignores a choice that asks for nothing; one that asks for a tool is the client's error at both.
    return choice === undefined || choice.type === 'auto' || choice.type === 'none' ? {} : { tool_choice: choice.value };
  }
  const { allowed } = choice ?? {};
  const offered = allowed ? tools.filter((tool) => typeof tool['name'] === 'string' && allowed.has(tool['name'])) : tools;
  const out: JsonObject = { tools: offered };
  if (body['parallel_tool_calls'] === false && choice?.type !== 'none') {
    out['tool_choice'] = { ...(choice?.value ?? { type: 'auto' }), disable_parallel_tool_use: true };
  } else if (choice) {
    out['tool_choice'] = choice.value;
  }
  return out;
}

function toTool(tool: unknown, index: number, findings: Findings): JsonObject {
  const definition = isObject(tool) ? tool['function'] : undefined;
  if (isObject(tool) && tool['type'] !== 'function') {
    findings.unsupported(`tools[${index}].type`, 'only functions have a counterpart');
    return {};
  }
  if (!isObject(definition) || typeof definition['name'] !== 'string') {
    findings.invalid(`tools[${index}].function.name`, 'is required');
    return {};
  }
  const out: JsonObject = { name: definition['name'] };
  if (typeof definition['description'] === 'string') out['description'] = definition['description'];
  out['input_schema'] = toInputSchema(definition['parameters']);
  if (typeof definition['strict'] === 'boolean') out['strict'] = definition['strict'];
  const cache = isObject(tool) ? (tool['cache_control'] ?? definition['cache_control']) : undefined;
  if (isObject(cache)) out['cache_control'] = cache;
  return out;
}

interface Choice {
  readonly type: 'auto' | 'none' | 'any' | 'tool';
  readonly value: JsonObject;
  readonly allowed?: ReadonlySet<string>;
}

function toChoice(choice: unknown, findings: Findings): Choice | undefined {
  if (!isGiven(choice)) return undefined;
  if (choice === 'auto' || choice === 'none') return { type: choice, value: { type: choice } };
  if (choice === 'required') return { type: 'any', value: { type: 'any' } };
  const name = functionName(choice);
  if (name !== undefined) return { type: 'tool', value: { type: 'tool', name } };
  if (isObject(choice) && choice['type'] === 'allowed_tools') return toAllowedTools(choice['allowed_tools'], findings);
  findings.unsupported('tool_choice', 'only a mode, a function or allowed_tools of functions has a counterpart');
  return undefined;
}

/** Anthropic has no list of allowed tools; leaving the others out says the same. */
function toAllowedTools(allowed: unknown, findings: Findings): Choice | undefined {
  const tools = isObject(allowed) && Array.isArray(allowed['tools']) ? allowed['tools'] : undefined;
  const names = tools?.map(functionName);
  if (!names || names.includes(undefined)) {
    findings.unsupported('tool_choice.allowed_tools.tools', 'only functions have a counterpart');
    return undefined;
  }
  const type = (allowed as JsonObject)['mode'] === 'required' ? 'any' : 'auto';
  return { type, value: { type }, allowed: new Set(names as string[]) };
}

function functionName(tool: unknown): string | undefined {
  if (!isObject(tool) || tool['type'] !== 'function' || !isObject(tool['function'])) return undefined;
  const { name } = tool['function'];
  return typeof name === 'string' ? name : undefined;
}

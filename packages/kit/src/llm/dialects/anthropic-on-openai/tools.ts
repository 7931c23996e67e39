import type { Findings } from '../fields/index.ts';
import { isGiven, isObject, type JsonObject } from '../json/index.ts';

/** `tools`, `tool_choice` and `parallel_tool_calls` for OpenAI, which refuses the latter two without the first. */
export function toToolFields(body: Readonly<JsonObject>, findings: Findings): JsonObject {
  const given = body['tools'];
  if (isGiven(given) && !Array.isArray(given)) findings.invalid('tools', 'must be a list');
  const tools = (Array.isArray(given) ? given : []).map((tool: unknown, index) => toFunction(tool, index, findings));
  const choice = toChoice(body['tool_choice'], findings);
  if (tools.length === 0) return choice === undefined || choice === 'auto' || choice === 'none' ? {} : { tool_choice: choice };
  const out: JsonObject = { tools };
  if (choice !== undefined) out['tool_choice'] = choice;
  const asked = body['tool_choice'];
  if (isObject(asked) && asked['disable_parallel_tool_use'] === true) out['parallel_tool_calls'] = false;
  return out;
}

function toFunction(tool: unknown, index: number, findings: Findings): JsonObject {
  const path = `tools[${index}]`;
  if (!isObject(tool)) {
    findings.invalid(path, 'must be an object');
    return {};
  }
  if (isGiven(tool['type']) && tool['type'] !== 'custom') {
    findings.unsupported(`${path}.type`, 'a tool that Anthropic defines or runs');
    return {};
  }
  const { name } = tool;
  if (typeof name !== 'string') findings.invalid(`${path}.name`, 'is required');
  else if (name.length > 64) findings.unsupported(`${path}.name`, 'OpenAI takes names of 64 characters at most');
  const definition: JsonObject = { name };
  if (typeof tool['description'] === 'string') definition['description'] = tool['description'];
  if (isObject(tool['input_schema'])) definition['parameters'] = tool['input_schema'];
  if (typeof tool['strict'] === 'boolean') definition['strict'] = tool['strict'];
  return { type: 'function', function: definition };
}

function toChoice(choice: unknown, findings: Findings): string | JsonObject | undefined {
  if (!isGiven(choice)) return undefined;
  const type = isObject(choice) ? choice['type'] : undefined;
  if (type === 'auto' || type === 'none') return type;
  if (type === 'any') return 'required';
  const name = isObject(choice) ? choice['name'] : undefined;
  if (type === 'tool' && typeof name === 'string') return { type: 'function', function: { name } };
  findings.unsupported('tool_choice.type', 'not a value with a counterpart');
  return undefined;
}

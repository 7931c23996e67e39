import type { Findings } from '../fields/index.ts';
import { isGiven, isObject, type JsonObject } from '../json/index.ts';

const efforts: ReadonlySet<unknown> = new Set(['low', 'medium', 'high', 'xhigh', 'max']);

/** `reasoning_effort` from Anthropic's two ways to ask for it. */
export function toReasoning(thinking: unknown, outputConfig: unknown, findings: Findings): JsonObject {
  const fromThinking = thinkingEffort(thinking, findings);
  const effort = isObject(outputConfig) ? outputConfig['effort'] : undefined;
  if (isGiven(outputConfig) && !isObject(outputConfig)) findings.invalid('output_config', 'must be an object');
  if (isObject(outputConfig)) {
    for (const name of Object.keys(outputConfig)) {
      if (name !== 'effort' && name !== 'format' && isGiven(outputConfig[name])) {
        findings.unsupported(`output_config.${name.slice(0, 64)}`, 'not known to have a counterpart at this provider');
      }
    }
  }
  if (isGiven(effort)) {
    if (efforts.has(effort)) return { reasoning_effort: effort };
    findings.unsupported('output_config.effort', 'not a value with a counterpart');
  }
  return fromThinking === undefined ? {} : { reasoning_effort: fromThinking };
}

function thinkingEffort(thinking: unknown, findings: Findings): string | undefined {
  if (!isGiven(thinking)) return undefined;
  switch (isObject(thinking) ? thinking['type'] : undefined) {
    // `disabled` is not `none`: models that do not reason refuse the field altogether.
    case 'disabled':
    case 'adaptive':
    case 'between_tools':
      return undefined;
    case 'enabled': {
      const budget = (thinking as JsonObject)['budget_tokens'];
      if (typeof budget !== 'number') findings.invalid('thinking.budget_tokens', 'must be a number');
      else if (budget <= 4096) return 'low';
      else if (budget <= 16_384) return 'medium';
      return 'high';
    }
    default:
      findings.unsupported('thinking.type', 'not a value with a counterpart');
      return undefined;
  }
}

import type { SandboxTool, ToolChoice } from './tools.ts';
import { readToolChoice, readTools } from './tools.ts';
import { readPrompt, type Prompt } from './prompt.ts';
import { rejected } from './rejected.ts';

export interface ChatRequest {
  readonly prompt: Prompt;
  readonly choices: number;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  readonly seed: number;
  readonly includeUsage: boolean;
  readonly tools: readonly SandboxTool[];
  readonly toolChoice: ToolChoice;
  /** Undefined for text; `{}` for JSON of any shape. */
  readonly jsonSchema: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const maxChoices = 128;
const maxStops = 16;

/** Reads a chat request as strictly as OpenAI does where it matters here, and passes over the rest. Throws `provider_rejected_request`. */
export function readChatRequest(body: Fields): ChatRequest {
  const tools = readTools(body['tools']);
  return {
    prompt: readPrompt(body),
    choices: wholeNumber(body, 'n', 1, maxChoices) ?? 1,
    maxTokens: wholeNumber(body, 'max_completion_tokens', 1) ?? wholeNumber(body, 'max_tokens', 1),
    stop: readStop(body['stop']),
    seed: wholeNumber(body, 'seed', Number.MIN_SAFE_INTEGER) ?? 0,
    includeUsage: (body['stream_options'] as Fields | null | undefined)?.['include_usage'] === true,
    tools,
    toolChoice: readToolChoice(body['tool_choice'], tools),
    jsonSchema: readResponseFormat(body['response_format']),
  };
}

function wholeNumber(body: Fields, name: string, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw rejected(
      `'${name}' must be a whole number${min > 0 ? ` of at least ${min}` : ''}${max < Number.MAX_SAFE_INTEGER ? ` and at most ${max}` : ''}.`,
    );
  }
  return value;
}

function readStop(stop: unknown): readonly string[] {
  if (stop === undefined || stop === null) return [];
  const list: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  if (list.length > maxStops || !list.every((item): item is string => typeof item === 'string')) {
    throw rejected(`'stop' must be a string or a list of at most ${maxStops} strings.`);
  }
  return list.filter((item) => item !== '');
}

function readResponseFormat(format: unknown): unknown {
  if (format === undefined || format === null) return undefined;
  const { type, json_schema: named } = format as { type?: unknown; json_schema?: { schema?: unknown } | null };
  if (type === 'text') return undefined;
  if (type === 'json_object') return {};
  if (type === 'json_schema' && typeof named === 'object' && named !== null) return named.schema ?? {};
  throw rejected("'response_format' must be of type text, json_object or json_schema.");
}

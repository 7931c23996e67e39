import { rejected } from './rejected.ts';

export interface SandboxTool {
  readonly name: string;
  /** A custom tool takes any text, a function JSON that fits its schema. */
  readonly kind: 'function' | 'custom';
  /** JSON schema of the arguments. */
  readonly parameters: unknown;
}

/** What the request says of tools; `names` are those that may be called. */
export interface ToolChoice {
  readonly mode: 'none' | 'auto' | 'required';
  readonly names: ReadonlySet<string> | undefined;
}

/** A prompt asks for a tool at its beginning, not after a book. */
const maxSearchedLength = 64 * 1024;

type Fields = Readonly<Record<string, unknown>>;

export function readTools(tools: unknown): readonly SandboxTool[] {
  if (tools === undefined || tools === null) return [];
  if (!Array.isArray(tools)) throw rejected("'tools' must be a list.");
  return (tools as unknown[]).map((tool, at) => {
    const { type, function: described, custom } = (tool ?? {}) as { type?: unknown; function?: Fields; custom?: Fields };
    const body = type === 'function' ? described : type === 'custom' ? custom : undefined;
    const name = body?.['name'];
    if (typeof name !== 'string' || name === '') throw rejected(`'tools[${at}]' must be a function or custom tool with a name.`);
    return { name, kind: type as SandboxTool['kind'], parameters: body?.['parameters'] ?? { type: 'object', properties: {} } };
  });
}

export function readToolChoice(choice: unknown, tools: readonly SandboxTool[]): ToolChoice {
  if (choice === undefined || choice === null || choice === 'auto') return { mode: 'auto', names: undefined };
  if (choice === 'none') return { mode: 'none', names: undefined };
  if (choice === 'required') return needed(undefined, tools);
  const {
    type,
    function: described,
    custom,
    allowed_tools: allowed,
  } = choice as Readonly<Record<string, Fields | undefined>> & { type?: unknown };
  if (type === 'function') return needed([described?.['name']], tools);
  if (type === 'custom') return needed([custom?.['name']], tools);
  if (type === 'allowed_tools' && Array.isArray(allowed?.['tools'])) {
    const names = (allowed['tools'] as Fields[]).map((tool) => ((tool['function'] ?? tool['custom'] ?? tool) as Fields)['name']);
    const choiceOfThese = needed(names, tools);
    return allowed['mode'] === 'required' ? choiceOfThese : { ...choiceOfThese, mode: 'auto' };
  }
  throw rejected("'tool_choice' must be none, auto, required, or name a tool.");
}

function needed(names: readonly unknown[] | undefined, tools: readonly SandboxTool[]): ToolChoice {
  if (tools.length === 0) throw rejected("'tool_choice' is only allowed when 'tools' are given.");
  for (const name of names ?? []) {
    if (!tools.some((tool) => tool.name === name))
      throw rejected(`'tool_choice' names a tool that is not among 'tools': ${String(name).slice(0, 64)}`);
  }
  return { mode: 'required', names: names && new Set(names as readonly string[]) };
}

/**
 * The tool that the answer calls. One that must be called is: the one that the prompt names, else the first. One that may
 * be called is when the user, who had the last word, asks for it by its name; so a loop of an agent comes to its end.
 */
export function chooseTool(
  tools: readonly SandboxTool[],
  choice: ToolChoice,
  userText: string,
  endsWithUser: boolean,
): SandboxTool | undefined {
  if (choice.mode === 'none') return undefined;
  const allowed = choice.names === undefined ? tools : tools.filter((tool) => choice.names!.has(tool.name));
  const words = new Set(userText.slice(0, maxSearchedLength).match(/[\w-]+/g));
  const named = allowed.find((tool) => words.has(tool.name));
  if (choice.mode === 'required') return named ?? allowed[0];
  return endsWithUser ? named : undefined;
}

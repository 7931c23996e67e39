import type { ChatRequest } from './chat-request.ts';
import { createDraw, type Draw } from './draw.ts';
import { splitPieces } from './pieces.ts';
import { rejected } from './rejected.ts';
import { piecesOf, sayText } from './said.ts';
import { sampleSchema } from './schema/index.ts';
import { maxAnswerTokens, type SandboxSettings } from './settings.ts';
import { chooseTool, type SandboxTool } from './tools.ts';

/** One choice of an answer, in the pieces in which it is streamed. */
export interface Choice {
  /** The tool that is called; undefined for text. */
  readonly tool: { readonly name: string; readonly kind: SandboxTool['kind'] } | undefined;
  readonly pieces: readonly string[];
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
}

/** What the sandbox answers: the same for the same request, model and seed. Choices differ from each other. */
export function makeChoices(request: ChatRequest, model: string, settings: SandboxSettings): Choice[] {
  const perChoice = Math.floor(maxAnswerTokens / request.choices);
  if ((settings.tokens ?? 1) > perChoice)
    throw rejected(`'n' choices of ${settings.tokens} tokens are more than the ${maxAnswerTokens} that the sandbox makes for one call.`);
  const { prompt } = request;
  const tool = chooseTool(request.tools, request.toolChoice, prompt.userText, prompt.endsWithUser);
  const drawFor = (index: number) =>
    createDraw(`${model}\n${prompt.toolText ?? ''}\n${prompt.userText}`, settings.seed + request.seed + index);
  if (tool || request.jsonSchema !== undefined) {
    // Made once for all choices: a schema may be dear to fill, and `n` would multiply it.
    const made = tool ? callOf(tool, prompt.userText, drawFor(0)) : jsonOf(request, model, drawFor(0));
    return Array.from({ length: request.choices }, () => limited(made, request, perChoice));
  }
  return Array.from({ length: request.choices }, (_, index) => {
    const draw = drawFor(index);
    const pieces = stopAt(piecesOf(sayText(prompt, model, draw), settings.tokens, perChoice + 1, draw), request.stop);
    return limited({ tool: undefined, pieces, finishReason: 'stop' }, request, perChoice);
  });
}

function callOf(tool: SandboxTool, userText: string, draw: Draw): Choice {
  // A custom tool takes text: what the user said.
  const input = tool.kind === 'custom' ? userText : JSON.stringify(sampleSchema(tool.parameters, draw));
  return { tool, pieces: splitPieces(input), finishReason: 'tool_calls' };
}

function jsonOf(request: ChatRequest, model: string, draw: Draw): Choice {
  const value = isEmpty(request.jsonSchema) ? { answer: sayText(request.prompt, model, draw) } : sampleSchema(request.jsonSchema, draw);
  return { tool: undefined, pieces: splitPieces(JSON.stringify(value)), finishReason: 'stop' };
}

function limited(choice: Choice, { maxTokens }: ChatRequest, perChoice: number): Choice {
  const most = Math.min(maxTokens ?? perChoice, perChoice);
  return choice.pieces.length <= most ? choice : { ...choice, pieces: choice.pieces.slice(0, most), finishReason: 'length' };
}

/** Ends the text before the first of the stop sequences, wherever the pieces were cut. */
function stopAt(pieces: readonly string[], stop: readonly string[]): readonly string[] {
  if (stop.length === 0) return pieces;
  const text = pieces.join('');
  const at = Math.min(...stop.map((sequence) => text.indexOf(sequence)).map((found) => (found < 0 ? text.length : found)));
  if (at === text.length) return pieces;
  const kept: string[] = [];
  let length = 0;
  for (const piece of pieces) {
    if (length >= at) break;
    kept.push(piece.slice(0, at - length));
    length += piece.length;
  }
  return kept;
}

function isEmpty(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && Object.keys(schema).length === 0;
}

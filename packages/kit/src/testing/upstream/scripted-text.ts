import type { UpstreamBehaviour } from './behaviour.ts';

/** The pieces in which an answer is streamed; joined they are what the plain answer says. */
export function scriptedPieces(behaviour: UpstreamBehaviour): readonly string[] {
  const { text, chunks } = behaviour;
  if (text === undefined) return Array.from({ length: chunks ?? 3 }, (_, at) => `${at === 0 ? '' : ' '}word${at}`);
  if (chunks === undefined) return text.match(/\s*\S+|\s+$/gu) ?? [];
  const letters = [...text];
  return Array.from({ length: chunks }, (_, at) =>
    letters.slice(Math.floor((at * letters.length) / chunks), Math.floor(((at + 1) * letters.length) / chunks)).join(''),
  );
}

export function scriptedText(behaviour: UpstreamBehaviour): string {
  return scriptedPieces(behaviour).join('');
}

export interface ScriptedUsage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/** What a right answer reports: 10 tokens in, and one out for each piece of each choice, unless the behaviour says otherwise. */
export function scriptedUsage(behaviour: UpstreamBehaviour, choices: number): ScriptedUsage {
  const pieces = behaviour.tool === undefined ? scriptedPieces(behaviour).length : toolPieces(behaviour).length;
  return {
    promptTokens: behaviour.promptTokens ?? 10,
    cachedTokens: behaviour.cachedTokens ?? 0,
    completionTokens: behaviour.completionTokens ?? pieces * choices,
    reasoningTokens: behaviour.reasoningTokens ?? 0,
  };
}

export function toolArguments(behaviour: UpstreamBehaviour): string {
  return behaviour.toolArguments ?? '{"city":"Paris"}';
}

/** The arguments of a tool call, cut at awkward places: every five letters. */
export function toolPieces(behaviour: UpstreamBehaviour): readonly string[] {
  return toolArguments(behaviour).match(/[^]{1,5}/gu) ?? [];
}

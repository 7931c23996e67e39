import type { Draw } from './draw.ts';
import { firstPieces, splitPieces } from './pieces.ts';
import type { Prompt } from './prompt.ts';

const greetings = [
  'Hello from the Holdfast sandbox, a model that needs no key.',
  'This is the Holdfast sandbox: no account, no cost, no real model.',
  'The Holdfast sandbox speaking; a real provider would answer here.',
] as const;

const fillers = [
  'Tokens keep arriving, one after the other, as they would from a real model.',
  'Nothing of this was thought; all of it was counted.',
  'A sandbox has no opinions, but it has patience.',
  'Point the same client at a real provider when you are ready.',
  'Every token here costs nothing and is recorded all the same.',
] as const;

const maxQuoted = 200;

/** What the sandbox says to a prompt: `echo` what the user said; every other model a sentence of its own, and what the user said. */
export function sayText(prompt: Prompt, model: string, draw: Draw): string {
  if (model === 'echo') return prompt.toolText ?? prompt.userText;
  if (prompt.toolText !== undefined) return `${draw.of(greetings)} The tool answered: ${quote(prompt.toolText)}`;
  return prompt.userText === '' ? draw.of(greetings) : `${draw.of(greetings)} You said: ${quote(prompt.userText)}`;
}

/** The pieces of a text, or exactly `tokens` of them: the rest is cut off, or the text is continued. */
export function piecesOf(text: string, tokens: number | undefined, most: number, draw: Draw): string[] {
  const wanted = tokens ?? most;
  const pieces = firstPieces(text, wanted);
  while (tokens !== undefined && pieces.length < tokens) {
    const more = splitPieces(`${pieces.length === 0 ? '' : ' '}${draw.of(fillers)}`);
    pieces.push(...more.slice(0, tokens - pieces.length));
  }
  return pieces;
}

function quote(text: string): string {
  const letters = [...text.slice(0, maxQuoted * 2)];
  return letters.length > maxQuoted ? `“${letters.slice(0, maxQuoted).join('')}…”` : `“${text}”`;
}

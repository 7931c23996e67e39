import type { AttemptResult } from '../../spec/index.ts';
import { hashText } from './draw.ts';
import { countPieces, splitPieces } from './pieces.ts';
import { rejected } from './rejected.ts';
import type { Run } from './run.ts';
import { maxDimensions } from './settings.ts';

/** A text, or tokens that the client has made itself. */
type Input = string | readonly number[];

const maxInputs = 2048;
/** Longest input in pieces; OpenAI's models take 8,191 or 8,192 tokens. */
const maxInputTokens = 8192;
/** Places in the vector that each piece adds to or takes from. */
const placesPerPiece = 8;

/**
 * Answers an embeddings request with unit vectors that follow from the text: the same text always gives the same vector,
 * and texts that share words lie closer to each other than those that do not (hashed words and pairs of words).
 */
export async function embeddings(run: Run): Promise<AttemptResult> {
  const body = run.request.body.value;
  const inputs = readInputs(body['input']);
  const dimensions = readDimensions(body['dimensions']) ?? run.settings.dimensions;
  const base64 = readFormat(body['encoding_format']);
  const tokens = inputs.map((input) => (typeof input === 'string' ? countPieces(input) : input.length));
  for (const [at, count] of tokens.entries())
    if (count > maxInputTokens) throw rejected(`'input[${at}]' has ${count} tokens; the sandbox takes ${maxInputTokens}.`);
  await run.begin();
  await run.beforeToken();
  const data: object[] = [];
  for (const [index, input] of inputs.entries()) {
    const vector = embed(input, dimensions, run.settings.seed);
    data.push({ object: 'embedding', index, embedding: base64 ? toBase64(vector) : [...vector] });
    // A long text takes some milliseconds.
    await run.waits.step(16 + tokens[index]! / 16);
  }
  await run.beforeEnd();
  const promptTokens = tokens.reduce((sum, count) => sum + count, 0);
  const reported = run.settings.usage !== 'none';
  const answer = {
    object: 'list',
    data,
    model: run.model.name,
    ...(reported && { usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } }),
  };
  run.sink.pulse();
  return {
    head: { headers: {} },
    tail: Buffer.from(JSON.stringify(answer)),
    usage: reported
      ? { promptTokens, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, source: 'provider' }
      : undefined,
    finishReason: undefined,
    servedModel: run.model.name,
    outputBytes: 0,
  };
}

function embed(input: Input, dimensions: number, seed: number): Float32Array {
  const words =
    typeof input === 'string'
      ? splitPieces(input.toLowerCase())
          .map((piece) => piece.trim())
          .filter((piece) => piece !== '')
      : input.map((token) => `#${token}`);
  const sums = new Float64Array(dimensions);
  for (const [at, word] of words.entries()) {
    add(sums, word, 1, seed);
    if (at > 0) add(sums, `${words[at - 1]} ${word}`, 0.5, seed);
  }
  let squares = 0;
  for (const sum of sums) squares += sum * sum;
  let length = Math.sqrt(squares);
  if (length === 0) {
    // Nothing but white space, or a sum that came to nothing: one axis, chosen by the text.
    sums[hashText(String(input), seed) % dimensions] = 1;
    length = 1;
  }
  return Float32Array.from(sums, (sum) => sum / length);
}

function add(sums: Float64Array, word: string, weight: number, seed: number): void {
  let hash = hashText(word, seed);
  for (let place = 0; place < placesPerPiece; place++) {
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
    hash = (hash + 0x9e3779b9) >>> 0;
    sums[(hash >>> 1) % sums.length]! += hash & 1 ? weight : -weight;
  }
}

function toBase64(vector: Float32Array): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * 4);
  return bytes.toString('base64');
}

function readInputs(input: unknown): readonly Input[] {
  const list: readonly unknown[] = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
  if (list.length === 0 || list.length > maxInputs) throw rejected(`'input' must have 1 to ${maxInputs} items.`);
  return list.map((item) => {
    if (typeof item === 'string' && item !== '') return item;
    if (Array.isArray(item) && item.length > 0 && item.every((token) => Number.isSafeInteger(token) && (token as number) >= 0))
      return item as number[];
    throw rejected("'input' must be a text, a list of tokens, or a list of these, none of them empty.");
  });
}

function readDimensions(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maxDimensions) return value;
  throw rejected(`'dimensions' must be a whole number from 1 to ${maxDimensions}.`);
}

function readFormat(value: unknown): boolean {
  if (value === undefined || value === null || value === 'float') return false;
  if (value === 'base64') return true;
  throw rejected("'encoding_format' must be float or base64.");
}

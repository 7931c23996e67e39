import { VerificationError } from './verify.ts';

/** The lines of a file or a download as it comes, without their newlines. Throws `malformed` for what is not UTF-8, and for a line above `maxBytes`. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes = 16_777_216): AsyncGenerator<string> {
  // `fatal`: bytes that are replaced would hash to something else. A mark at the beginning is a byte like any other.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new VerificationError('malformed', 'this is not UTF-8');
    }
  };
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decode(chunk)).split('\n');
    rest = lines.pop()!;
    yield* lines;
    if (rest.length > maxBytes) throw new VerificationError('malformed', `a line has more than ${maxBytes} bytes`);
  }
  rest += decode();
  if (rest !== '') yield rest;
}

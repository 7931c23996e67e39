/** Members of JSON that streams send in pieces. */
const deltas: ReadonlySet<string> = new Set(['delta', 'content_block_delta']);

/**
 * What a stream of events said, as one JSON object: the pieces of a text put together by where they stand. An address or a key that was sent in
 * two pieces is not found in the bytes of a stream, so those are never kept. `undefined` when the text is no stream of events.
 */
export function assembleStream(text: string): string | undefined {
  if (!/^(?:data|event|id|retry|:)/.test(text)) return undefined;
  const pieces = new Map<string, string>();
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (!line.startsWith('data:')) continue;
    let data: unknown;
    try {
      data = JSON.parse(line.slice(5));
    } catch {
      // `[DONE]`, or the line at which the text was cut.
      continue;
    }
    gather(data, '', false, indexOf(data), pieces);
  }
  return JSON.stringify(Object.fromEntries(pieces));
}

/** Anthropic says beside the piece which block it belongs to. */
function indexOf(data: unknown): string {
  const index = (data as { index?: unknown } | null)?.index;
  return typeof index === 'number' ? `${index}.` : '';
}

function gather(value: unknown, path: string, inDelta: boolean, prefix: string, pieces: Map<string, string>): void {
  if (typeof value === 'string') {
    const key = prefix + path;
    if (inDelta) pieces.set(key, (pieces.get(key) ?? '') + value);
    else if (!pieces.has(key)) pieces.set(key, value);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    gather(member, path === '' ? name : `${path}.${name}`, inDelta || deltas.has(name), prefix, pieces);
  }
}

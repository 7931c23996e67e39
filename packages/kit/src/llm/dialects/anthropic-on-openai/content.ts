import type { Findings } from '../fields/index.ts';
import { isObject, textOf, type JsonObject } from '../json/index.ts';
import { writeDataUrl } from '../mapping/index.ts';

/** A block of a user's message or of a tool's result as OpenAI's content parts. */
export function toParts(block: unknown, path: string, findings: Findings): JsonObject[] {
  if (!isObject(block)) {
    findings.invalid(path, 'must be an object');
    return [];
  }
  switch (block['type']) {
    case 'text':
      return textPart(block['text'], `${path}.text`, findings);
    case 'image':
      return toImage(block['source'], `${path}.source`, findings);
    case 'document':
      return toDocument(block, path, findings);
    default:
      if (!isLeftOut(block)) findings.unsupported(`${path}.type`, 'this kind of block has no counterpart');
      return [];
  }
}

/** Thinking is signed for Anthropic and of no use to anybody else. */
export function isLeftOut(block: JsonObject): boolean {
  return block['type'] === 'thinking' || block['type'] === 'redacted_thinking';
}

export function textPart(text: unknown, path: string, findings: Findings): JsonObject[] {
  if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }];
  findings.invalid(path, 'must be a string');
  return [];
}

/** One text alone as a string, which every server understands. */
export function compact(parts: JsonObject[]): JsonObject[] | string {
  const [only] = parts;
  return parts.length === 1 && only?.['type'] === 'text' ? (only['text'] as string) : parts;
}

function toImage(source: unknown, path: string, findings: Findings): JsonObject[] {
  const { type, media_type: mediaType, data, url } = isObject(source) ? source : {};
  if (type === 'base64' && typeof mediaType === 'string' && typeof data === 'string') {
    return [{ type: 'image_url', image_url: { url: writeDataUrl({ mediaType, base64: data }) } }];
  }
  if (type === 'url' && typeof url === 'string') return [{ type: 'image_url', image_url: { url } }];
  findings.unsupported(`${path}.type`, 'only base64 and url have a counterpart');
  return [];
}

function toDocument(block: JsonObject, path: string, findings: Findings): JsonObject[] {
  const { source, citations } = block;
  if (isObject(citations) && citations['enabled'] === true) findings.unsupported(`${path}.citations`, 'OpenAI cites nothing');
  const title = textOf(block['title']);
  const { type, media_type: mediaType, data, content } = isObject(source) ? source : {};
  if (type === 'base64' && mediaType === 'application/pdf' && typeof data === 'string') {
    return [
      ...contextPart(undefined, block),
      { type: 'file', file: { filename: title ?? 'document.pdf', file_data: writeDataUrl({ mediaType, base64: data }) } },
    ];
  }
  if (type === 'text' && typeof data === 'string') return [...contextPart(title, block), ...textPart(data, path, findings)];
  if (type === 'content' && typeof content === 'string') return [...contextPart(title, block), ...textPart(content, path, findings)];
  if (type === 'content' && Array.isArray(content)) {
    return [
      ...contextPart(title, block),
      ...content.flatMap((inner: unknown, index) => toParts(inner, `${path}.source.content[${index}]`, findings)),
    ];
  }
  findings.unsupported(`${path}.source.type`, 'only a PDF or text that is sent along has a counterpart');
  return [];
}

/** What Anthropic's model is told about a document besides its text. */
function contextPart(title: string | undefined, block: JsonObject): JsonObject[] {
  const lines = [title, textOf(block['context'])].filter((line) => line !== undefined);
  return lines.length === 0 ? [] : [{ type: 'text', text: lines.join('\n') }];
}

import type { Findings } from '../fields/index.ts';
import { isObject, textOf, type JsonObject } from '../json/index.ts';
import { readDataUrl } from '../mapping/index.ts';

const imageTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** A message's content as Anthropic's blocks; text that says nothing is left out, since Anthropic takes none. */
export function toBlocks(content: unknown, path: string, findings: Findings): JsonObject[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return textBlock(content);
  if (!Array.isArray(content)) {
    findings.invalid(path, 'must be a string or a list of parts');
    return [];
  }
  return content.flatMap((part: unknown, index) => toBlock(part, `${path}[${index}]`, findings));
}

export function textBlock(text: string): JsonObject[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }];
}

/** Blocks as short as they can be said. */
export function compact(blocks: JsonObject[]): JsonObject[] | string {
  const [only] = blocks;
  const plain = blocks.length === 1 && only?.['type'] === 'text' && only['cache_control'] === undefined;
  return plain ? (only['text'] as string) : blocks;
}

function toBlock(part: unknown, path: string, findings: Findings): JsonObject[] {
  if (!isObject(part)) {
    findings.invalid(path, 'must be an object');
    return [];
  }
  const blocks = translatePart(part, path, findings);
  const cache = part['cache_control'];
  if (!isObject(cache)) return blocks;
  return blocks.map((block) => ({ ...block, cache_control: cache }));
}

function translatePart(part: JsonObject, path: string, findings: Findings): JsonObject[] {
  switch (part['type']) {
    case 'text':
    case 'refusal': {
      const text = part['type'] === 'text' ? part['text'] : part['refusal'];
      if (typeof text === 'string') return textBlock(text);
      findings.invalid(`${path}.${part['type']}`, 'must be a string');
      return [];
    }
    case 'image_url':
      return toImage(part['image_url'], `${path}.image_url`, findings);
    case 'file':
      return toDocument(part['file'], `${path}.file`, findings);
    default:
      findings.unsupported(`${path}.type`, 'this kind of content has no counterpart');
      return [];
  }
}

function toImage(image: unknown, path: string, findings: Findings): JsonObject[] {
  const url = isObject(image) ? textOf(image['url']) : textOf(image);
  if (url === undefined) {
    findings.invalid(`${path}.url`, 'must be a URL');
    return [];
  }
  if (!/^data:/i.test(url.slice(0, 5))) return [{ type: 'image', source: { type: 'url', url } }];
  const data = readDataUrl(url);
  const mediaType = data?.mediaType === 'image/jpg' ? 'image/jpeg' : data?.mediaType;
  if (!data || mediaType === undefined || !imageTypes.has(mediaType)) {
    findings.unsupported(`${path}.url`, 'a data URL must be base64 of a JPEG, PNG, GIF or WebP');
    return [];
  }
  return [{ type: 'image', source: { type: 'base64', media_type: mediaType, data: data.base64 } }];
}

function toDocument(file: unknown, path: string, findings: Findings): JsonObject[] {
  const text = isObject(file) ? textOf(file['file_data']) : undefined;
  if (!isObject(file) || text === undefined) {
    findings.unsupported(
      isObject(file) && textOf(file['file_id']) !== undefined ? `${path}.file_id` : path,
      'only a file that is sent along has a counterpart',
    );
    return [];
  }
  const data = readDataUrl(text);
  if (data?.mediaType !== 'application/pdf') {
    findings.unsupported(`${path}.file_data`, 'must be a base64 data URL of a PDF');
    return [];
  }
  const title = textOf(file['filename']);
  const source = { type: 'base64', media_type: 'application/pdf', data: data.base64 };
  return [{ type: 'document', source, ...(title === undefined ? {} : { title }) }];
}

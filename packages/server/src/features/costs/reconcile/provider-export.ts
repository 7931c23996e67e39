import { readAnthropicExport } from './anthropic-export.ts';
import { readCsv } from './csv.ts';
import { exportFault, type ProviderExport, type RawExport } from './exported-values.ts';
import { readOpenaiExport } from './openai-export.ts';

/**
 * Reads a usage or cost export of OpenAI or Anthropic: the CSV of their consoles, or answers of their administration APIs, one page, an array of
 * pages, or a page a line. Throws `invalid_request` for anything else, and for numbers that are none: half of a comparison is worse than none.
 */
export function readExport(text: string): ProviderExport {
  const raw = parse(text);
  const read = readOpenaiExport(raw) ?? readAnthropicExport(raw);
  if (read === undefined)
    throw exportFault('it is no usage or cost export of OpenAI or Anthropic: neither their columns nor their members are there');
  return read;
}

function parse(text: string): RawExport {
  if (!/^\s*[[{]/.test(text)) {
    const csv = readCsv(text);
    if (csv === undefined) throw exportFault('a quote in the CSV does not end');
    return { csv };
  }
  const pages =
    parseJson(text) ??
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(parseJson);
  const list: readonly unknown[] = Array.isArray(pages) ? pages.flat() : [pages];
  if (!list.every((page) => typeof page === 'object' && page !== null)) throw exportFault('it is neither CSV nor JSON');
  return { pages: list as readonly Readonly<Record<string, unknown>>[] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

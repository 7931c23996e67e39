import type { FieldRow } from '../../../src/llm/dialects/index.ts';

/** Rows of a field table as the guide shows them. */
export function guideTable(rows: readonly FieldRow[]): string {
  const lines = rows.map(({ field, fate, note }) => `| \`${field}\` | ${fate} | ${note.replaceAll('|', '\\|')} |`);
  return ['| Field | | |', '| --- | --- | --- |', ...lines].join('\n');
}

/** The part of a page between its markers, without the blank lines around it. */
export function markedPart(page: string, name: string): string {
  const [start, end] = [`<!-- table ${name} -->`, `<!-- end ${name} -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no part ${name}`);
  return page.slice(from + start.length, to).trim();
}

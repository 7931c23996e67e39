/** Rows of every Markdown table of a text, as the text of their cells, without those of the heading and the rule below it. */
export function readTableRows(markdown: string): readonly (readonly string[])[] {
  const lines = markdown.split('\n');
  return lines.flatMap((line, index) => {
    const isRow = line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1] ?? '');
    // An escaped bar belongs to its cell.
    return isRow
      ? [
          line
            .trim()
            .replaceAll(/^\||\|$/g, '')
            .split(/(?<!\\)\|/)
            .map((cell) => cell.trim()),
        ]
      : [];
  });
}

function isRule(line: string): boolean {
  return /^\|(?:\s*:?-+:?\s*\|)+\s*$/.test(line);
}

/** The text between the backticks of a cell that holds nothing else; undefined for any other. */
export function codeOfCell(cell: string | undefined): string | undefined {
  return /^`([^`]+)`$/.exec(cell ?? '')?.[1];
}

/** The part of a text below a heading, up to the next of the same level or a higher one. Throws when there is no such heading. */
export function sectionOf(markdown: string, heading: string): string {
  const lines = markdown.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const level = heading.indexOf(' ');
  const length = lines.slice(start + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level);
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

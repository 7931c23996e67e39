/** A fenced block of a document. */
export interface CodeBlock {
  readonly document: string;
  /** Line of the opening fence, counted from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** `run`: the tests execute it. `show`: they do not, for the reason that stands behind the word. */
  readonly mark: { readonly kind: 'run' } | { readonly kind: 'show'; readonly reason: string } | { readonly kind: 'none' };
}

/** Languages that a reader would run, and whose blocks therefore have to say whether the tests do. */
export const runnableLanguages: ReadonlySet<string> = new Set([
  'ts',
  'typescript',
  'js',
  'javascript',
  'bash',
  'sh',
  'shell',
  'console',
  'python',
  'py',
]);

/** Languages that the tests can execute. */
export const executedLanguages: ReadonlySet<string> = new Set(['ts', 'bash']);

/**
 * Every fenced block of a Markdown text. The first word of the info string is the language, as forges read it; then comes
 * `run`, or `show: why it is not run`.
 */
export function readCodeBlocks(document: string, markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; indent: string; info: string; line: number; lines: string[] } | undefined;
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*(.*)$/.exec(text);
    if (!open) {
      if (fence) open = { indent: fence[1]!, fence: fence[2]!, info: fence[3]!.trim(), line: index + 1, lines: [] };
    } else if (fence && fence[3] === '' && fence[2]!.startsWith(open.fence)) {
      blocks.push(toBlock(document, open));
      open = undefined;
    } else {
      open.lines.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text);
    }
  }
  if (open) throw new Error(`${document}:${open.line}: this block is never closed`);
  return blocks;
}

function toBlock(document: string, open: { info: string; line: number; lines: string[] }): CodeBlock {
  const [language = '', ...rest] = open.info.split(/\s+/);
  const words = rest.join(' ');
  const reason = /^show:\s*(\S.*)$/.exec(words)?.[1];
  const mark = words === 'run' ? ({ kind: 'run' } as const) : reason ? ({ kind: 'show', reason } as const) : ({ kind: 'none' } as const);
  return { document, line: open.line, language: language.toLowerCase(), code: `${open.lines.join('\n')}\n`, mark };
}

/** What is wrong with how a block is marked; undefined when nothing is. */
export function faultOfMark(block: CodeBlock): string | undefined {
  const place = `${block.document}:${block.line}`;
  if (runnableLanguages.has(block.language) && block.mark.kind === 'none') {
    return `${place}: say behind \`${block.language}\` whether the tests run this block: \`run\`, or \`show: why not\``;
  }
  if (block.mark.kind === 'run' && !executedLanguages.has(block.language)) {
    return `${place}: the tests cannot run \`${block.language}\`, only ${[...executedLanguages].join(' and ')}`;
  }
  return undefined;
}

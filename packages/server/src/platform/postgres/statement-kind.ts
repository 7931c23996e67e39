/** What a statement does, by its first word; of a `with`, by the word after it. */
export const databaseOperations = ['select', 'insert', 'update', 'delete', 'merge', 'begin', 'commit', 'rollback', 'other'] as const;

export type DatabaseOperation = (typeof databaseOperations)[number];

export interface StatementKind {
  readonly operation: DatabaseOperation;
  /** The table that is written, or the first that is read, without its schema; undefined where there is none, as in `select 1`. */
  readonly table: string | undefined;
}

/** Distinct texts that are remembered. The server has some hundred; only lists of parameters of every length make more. */
const maxKnown = 1_000;
/** Longer texts are read anew each time: memory is bounded by their number and this. */
const maxKnownLength = 4_096;
/** What is looked at of one text. A table that is named later than this is not found. */
const maxRead = 16_384;

const known = new Map<string, StatementKind>();

/** Reads each distinct text once. */
export function statementKind(statement: string): StatementKind {
  const found = known.get(statement);
  if (found) return found;
  const kind = Object.freeze(readStatement(statement));
  if (statement.length <= maxKnownLength) {
    if (known.size >= maxKnown) known.clear();
    known.set(statement, kind);
  }
  return kind;
}

/** For tests of the bound. */
export function knownStatements(): number {
  return known.size;
}

/**
 * A word as PostgreSQL compares it, or one of `( ) . ,`. `depth` is the number of parentheses around it. Quoted names are never
 * keywords: `bare` is false for them.
 */
interface Token {
  readonly text: string;
  readonly bare: boolean;
  readonly depth: number;
}

/** Comments, strings (plain, E'…' and $tag$…$tag$), quoted names, words, and the four signs; all else is skipped. */
const lexeme =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\b[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|'(?:[^']|'')*(?:'|$)|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?(?:\1|$)|"((?:[^"]|"")*)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|([().,])/g;

function tokensOf(statement: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  for (const [, , quoted, word, sign] of statement.slice(0, maxRead).matchAll(lexeme)) {
    if (sign === ')') depth--;
    if (quoted !== undefined) tokens.push({ text: quoted.replaceAll('""', '"'), bare: false, depth });
    else if (word !== undefined) tokens.push({ text: word.toLowerCase(), bare: true, depth });
    else if (sign !== undefined) tokens.push({ text: sign, bare: true, depth });
    if (sign === '(') depth++;
  }
  return tokens;
}

const aliases: Readonly<Record<string, DatabaseOperation>> = {
  start: 'begin',
  end: 'commit',
  abort: 'rollback',
  values: 'select',
  table: 'select',
};
const operations: ReadonlySet<string> = new Set<DatabaseOperation>(databaseOperations);

function readStatement(statement: string): StatementKind {
  const tokens = tokensOf(statement);
  const common = new Map<string, number>();
  const start = skipCommonTables(tokens, 0, common);
  const first = tokens[start]?.text ?? '';
  const operation = aliases[first] ?? (operations.has(first) ? (first as DatabaseOperation) : 'other');
  return { operation, table: tableOf(tokens, start, operation, common, 0) };
}

/**
 * Past `with [recursive] name [(columns)] as [[not] materialized] (…), …`, each name of which is noted with where its body begins. Returns where
 * the statement itself begins.
 */
function skipCommonTables(tokens: readonly Token[], from: number, common: Map<string, number>): number {
  if (!isWord(tokens[from], 'with')) return from;
  let at = from + 1;
  if (isWord(tokens[at], 'recursive')) at++;
  while (at < tokens.length) {
    const name = tokens[at]!.text;
    const { depth } = tokens[at]!;
    while (at < tokens.length && !isWord(tokens[at], 'as')) at++;
    while (at < tokens.length && tokens[at]!.text !== '(') at++;
    common.set(name, at + 1);
    while (at < tokens.length && !(tokens[at]!.text === ')' && tokens[at]!.depth === depth)) at++;
    at++;
    if (tokens[at]?.text !== ',') return at;
    at++;
  }
  return at;
}

/** Common tables lead to what they read themselves; `hops` ends a circle of them. */
function tableOf(
  tokens: readonly Token[],
  start: number,
  operation: DatabaseOperation,
  common: ReadonlyMap<string, number>,
  hops: number,
): string | undefined {
  if (hops > 8) return undefined;
  const at = whereTableIsNamed(tokens, start, operation);
  if (at === undefined) return undefined;
  let next = at;
  while (isWord(tokens[next], 'only') || isWord(tokens[next], 'lateral')) next++;
  if (tokens[next]?.text === '(') return tableOf(tokens, next + 1, 'select', common, hops + 1);
  let name = tokens[next];
  while (tokens[next + 1]?.text === '.' && tokens[next + 2]) name = tokens[(next += 2)];
  if (!name || name.text === ')' || name.text === ',') return undefined;
  // A function that returns rows. After the name of a table an insert has its columns in parentheses.
  if (operation === 'select' && tokens[next + 1]?.text === '(') return undefined;
  const body = common.get(name.text);
  return body === undefined ? name.text : tableOf(tokens, body, 'select', common, hops + 1);
}

function whereTableIsNamed(tokens: readonly Token[], start: number, operation: DatabaseOperation): number | undefined {
  switch (operation) {
    case 'insert':
    case 'merge':
      return after(tokens, start, 'into');
    case 'update':
      return start + 1;
    case 'delete':
      return after(tokens, start, 'from');
    case 'select':
      return fromOf(tokens, start);
    default:
      return undefined;
  }
}

function after(tokens: readonly Token[], start: number, keyword: string): number | undefined {
  return isWord(tokens[start + 1], keyword) ? start + 2 : undefined;
}

/** The `from` of this select, and not that of `extract(… from …)` or `is distinct from`; without one, that of a select inside. */
function fromOf(tokens: readonly Token[], start: number): number | undefined {
  const { depth } = tokens[start] ?? { depth: 0 };
  let inside: number | undefined;
  for (let at = start; at < tokens.length && tokens[at]!.depth >= depth; at++) {
    if (tokens[at]!.text === ')' && tokens[at]!.depth < depth) break;
    if (isWord(tokens[at], 'from') && tokens[at]!.depth === depth && !isWord(tokens[at - 1], 'distinct')) return at + 1;
    if (isWord(tokens[at], 'select') && tokens[at]!.depth > depth) inside ??= at;
  }
  return inside === undefined ? undefined : fromOf(tokens, inside);
}

function isWord(token: Token | undefined, word: string): boolean {
  return token !== undefined && token.bare && token.text === word;
}

import { createRequire } from 'node:module';
import type { Document, Node, ParsedNode, Scalar, YAMLError, YAMLMap, YAMLSeq } from 'yaml';
import type { ParsedFile, Position } from './configuration-file.ts';
import { showName } from '../faults.ts';

/** The text is not one YAML document of maps, lists and scalars. Its message holds nothing of the text but names of keys. */
export class YamlFault extends Error {
  readonly position: Position | undefined;

  constructor(problem: string, position: Position | undefined) {
    super(problem);
    this.position = position;
  }
}

/** Aliases are followed, so a few lines could stand for billions of values (the "billion laughs"): what they amount to is bounded. */
const maxNodes = 100_000;
const maxDepth = 32;

/**
 * The library's messages are not passed on: some quote the text, and the text may be a key. Codes that are missing here
 * are told without more detail.
 */
const problems: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias cannot have a tag or an anchor',
  BAD_ALIAS: 'an alias is malformed (a value that begins with `*` needs quotes)',
  BAD_DIRECTIVE: 'a line that begins with `%` is not known here',
  BAD_DQ_ESCAPE: 'unknown escape in a double-quoted text (use single quotes where `\\` is meant as it stands)',
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  BAD_PROP_ORDER: 'anchors and tags must come before the value',
  BAD_SCALAR_START: 'a value that begins with one of ` @ % needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a `key: value` stands where a plain value is expected (a text with `: ` in it needs quotes)',
  BLOCK_IN_FLOW: 'an indented block stands inside of brackets',
  IMPOSSIBLE: 'it is not YAML',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a quote, a bracket, a colon or a space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines, or a colon is missing',
  MULTIPLE_ANCHORS: 'a value has two anchors',
  MULTIPLE_DOCS: 'the file holds more than one document (`---`)',
  MULTIPLE_TAGS: 'a value has two tags',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'a tab indents the line; use spaces',
  TAG_RESOLVE_FAILED: 'tags (`!name`) are not known here',
  UNEXPECTED_TOKEN: 'something stands here that does not belong (a text with special characters needs quotes)',
};

/** Parses YAML 1.2, of which JSON is a part. Throws YamlFault. Every fault that the parser finds is thrown in one array. */
export function parseYaml(text: string): ParsedFile {
  // Loaded only when there is a file: it costs as much as the rest of the loading together. `require`, so that loading stays synchronous.
  const yaml = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  const lineCounter = new yaml.LineCounter();
  const positionAt = (offset: number | undefined): Position | undefined => {
    if (offset === undefined) return undefined;
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };

  let document: Document.Parsed;
  try {
    document = yaml.parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      // Its own check compares every key with every other; ours, below, does not.
      uniqueKeys: false,
      strict: true,
      prettyErrors: false,
      lineCounter,
    });
  } catch (cause) {
    // The parser is recursive.
    if (cause instanceof RangeError) throw new YamlFault('it is nested too deeply', undefined);
    throw cause;
  }
  const first: YAMLError | undefined = [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  if (first) throw new YamlFault(problems[first.code] ?? 'it is not YAML', positionAt(first.pos[0]));

  const positions = new Map<string, Position>();
  /** The latest of each name so far. (`alias.resolve` walks the whole document each time.) */
  const anchors = new Map<string, Node>();
  let nodes = 0;
  let expanding = 0;
  const noteAnchor = (node: Scalar | YAMLMap | YAMLSeq): void => {
    // What an alias repeats was noted where it stands; noted again, it would hide a later anchor of the same name.
    if (node.anchor !== undefined && expanding === 0) anchors.set(node.anchor, node);
  };

  const convert = (node: ParsedNode | Node | null, path: (string | number)[], depth: number): unknown => {
    const at = node?.range?.[0];
    if (++nodes > maxNodes) throw new YamlFault('its aliases amount to too much', positionAt(at));
    if (depth > maxDepth) throw new YamlFault('it is nested too deeply', positionAt(at));
    if (node === null) return null;
    if (yaml.isAlias(node)) {
      const target = anchors.get(node.source);
      if (!target) throw new YamlFault('an alias (`*name`) has no anchor (`&name`) before it', positionAt(at));
      expanding += 1;
      const value = convert(target, path, depth + 1);
      expanding -= 1;
      return value;
    }
    noteAnchor(node);
    if (yaml.isScalar(node)) return node.value;
    if (yaml.isSeq(node)) {
      return node.items.map((item, index) => {
        const itemPath = [...path, index];
        const position = positionAt((item as Node | null)?.range?.[0]);
        if (position) positions.set(JSON.stringify(itemPath), position);
        return convert(item as Node | null, itemPath, depth + 1);
      });
    }
    if (!yaml.isMap(node)) throw new YamlFault('it is not YAML', positionAt(at));
    const map: Record<string, unknown> = Object.create(null);
    for (const { key, value } of node.items) {
      const keyPosition = positionAt((key as Node | null)?.range?.[0]);
      if (!yaml.isScalar(key) || !isName(key.value)) throw new YamlFault('a key has to be a plain name', keyPosition ?? positionAt(at));
      noteAnchor(key);
      const name = String(key.value);
      // `1` and `"1"` are two keys for YAML and one for us.
      if (name in map) throw new YamlFault(`the key ${showName(name)} stands here twice`, keyPosition);
      if (name === '<<') throw new YamlFault('merge keys (`<<`) are not part of YAML 1.2', keyPosition);
      const entryPath = [...path, name];
      if (keyPosition) positions.set(JSON.stringify(entryPath), keyPosition);
      map[name] = convert(value as Node | null, entryPath, depth + 1);
    }
    return map;
  };
  return { root: convert(document.contents, [], 0), positions };
}

function isName(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

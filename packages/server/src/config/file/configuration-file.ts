import type { SettingPath } from './setting-path.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What a file says, with the place of every key. */
export interface ParsedFile {
  /** Maps are objects without prototype, so that no name is special. */
  readonly root: unknown;
  /** By `JSON.stringify` of the path. */
  readonly positions: ReadonlyMap<string, Position>;
}

/** The configuration file as the readers of its sections see it. */
export class ConfigurationFile {
  /** As it is shown: relative to the working directory when it lies in it. */
  readonly displayName: string;
  /** What relative paths in it hang on. */
  readonly folder: string;
  readonly #parsed: ParsedFile;

  constructor(displayName: string, folder: string, parsed: ParsedFile) {
    this.displayName = displayName;
    this.folder = folder;
    this.#parsed = parsed;
  }

  get root(): unknown {
    return this.#parsed.root;
  }

  /** `holdfast.config.yaml:3:5`, of the nearest key around the path. */
  where(path: SettingPath): string {
    const position = this.#position(path);
    return position === undefined ? this.displayName : `${this.displayName}:${position.line}:${position.column}`;
  }

  /** `holdfast.config.yaml:3`, for `config print`. */
  lineOf(path: SettingPath): string {
    const position = this.#position(path);
    return position === undefined ? this.displayName : `${this.displayName}:${position.line}`;
  }

  #position(path: SettingPath): Position | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const position = this.#parsed.positions.get(JSON.stringify(path.slice(0, length)));
      if (position !== undefined) return position;
    }
    return undefined;
  }
}

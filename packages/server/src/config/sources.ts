import type { Variables } from './environment.ts';
import type { FaultList } from './faults.ts';
import { pathToText, type ConfigurationFile, type SettingPath } from './file/index.ts';
import type { Origin } from './origin.ts';
import type { SecretFiles } from './secret-file.ts';
import type { Settings } from './settings.ts';

/** What the command line sets for this run, in the shape of the file: `{ server: { port: 0 } }`; texts are read as those of the environment. */
export type Overrides = {
  readonly [Section in keyof Settings]?: { readonly [Name in keyof Settings[Section]]?: string | Settings[Section][Name] };
};

/** Where the readers of the sections take values from, and where they put what they find out. */
export interface Sources {
  readonly env: Variables;
  readonly cwd: string;
  readonly file: ConfigurationFile | undefined;
  readonly overrides: Overrides;
  readonly secretFiles: SecretFiles;
  readonly faults: FaultList;
  /** By the text of the path. */
  readonly origins: Map<string, Origin>;
  /** Variables that the file names (`apiKeyEnv`): known, whatever they are called. */
  readonly referencedNames: Set<string>;
}

/** A variable, or undefined when it is unset or blank: Compose files and CI pass what is not set as an empty text. */
export function variable(sources: Sources, name: string): string | undefined {
  const value = sources.env[name]?.trim();
  return value === '' ? undefined : value;
}

export type FileMap = Readonly<Record<string, unknown>>;

export function isFileMap(value: unknown): value is FileMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A map of the file at one of its top-level names; an absent or empty one is the empty map. */
export function fileSection(sources: Sources, name: string): FileMap {
  const { file } = sources;
  const root = file?.root;
  if (file === undefined || !isFileMap(root)) return {};
  const section = root[name];
  if (section === undefined || section === null) return {};
  if (isFileMap(section)) return section;
  fileFault(sources, [name], 'expected a map.');
  return {};
}

/** A fault of the file at a path of it. Only for what was read from there. */
export function fileFault(sources: Sources, path: SettingPath, problem: string, hint?: string): void {
  const where = sources.file?.where(path) ?? 'configuration file';
  sources.faults.add({ where, setting: pathToText(path), problem, ...(hint === undefined ? {} : { hint }) });
}

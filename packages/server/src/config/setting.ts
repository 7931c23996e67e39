import type { Secret } from './secret.ts';
import type { ValueType } from './value-types.ts';

/** One setting: everything that validation, `holdfast config print` and the reference page need to know of it. */
export interface Setting<Value> {
  readonly secret?: never;
  readonly type: ValueType<Value>;
  /** Name in the environment. */
  readonly environment: string;
  readonly default: Value;
  /** The default in words, where the value alone would not say it. */
  readonly defaultText?: string;
  /** What it is and when to change it; Markdown, one paragraph. */
  readonly description: string;
}

/**
 * A setting that is never shown. In the environment `X` and `X_FILE`; in the file `x`, `xFile` (path of a file that holds
 * it) and `xEnv` (name of the variable that holds it). Without default.
 */
export interface SecretSetting {
  readonly secret: true;
  readonly environment: string;
  readonly expected: string;
  /** Whether the text can be one. */
  readonly accepts: (text: string) => boolean;
  readonly description: string;
}

export type SettingSection = Readonly<Record<string, Setting<unknown> | SecretSetting>>;

/** The validated values of a table of settings. */
export type SettingValues<Table extends Readonly<Record<string, SettingSection>>> = {
  readonly [SectionName in keyof Table]: {
    readonly [Name in keyof Table[SectionName]]: Table[SectionName][Name] extends SecretSetting
      ? Secret | undefined
      : Table[SectionName][Name] extends { readonly type: ValueType<infer Value>; readonly default: infer Default }
        ? Value | (undefined extends Default ? undefined : never)
        : never;
  };
};

/** The keys by which a secret may stand in the file. */
export function secretKeys(name: string): readonly [value: string, file: string, environment: string] {
  return [name, `${name}File`, `${name}Env`];
}

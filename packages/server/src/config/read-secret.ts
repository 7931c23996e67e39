import path from 'node:path';
import { showName } from './faults.ts';
import { pathToText, type SettingPath } from './file/index.ts';
import { environmentOrigin, type Origin } from './origin.ts';
import { Secret } from './secret.ts';
import { reasonOf } from './secret-file.ts';
import { secretKeys, type SecretSetting } from './setting.ts';
import { variable, type FileMap, type Sources } from './sources.ts';

export interface FoundSecret {
  readonly secret: Secret;
  readonly origin: Origin;
}

type Check = Pick<SecretSetting, 'accepts' | 'expected'>;

/** A secret of the environment, by value (`X`) or by file (`X_FILE`). Undefined when there is none, or a faulty one. */
export function secretFromEnvironment(sources: Sources, name: string, check: Check): FoundSecret | undefined {
  const value = variable(sources, name);
  const file = variable(sources, `${name}_FILE`);
  if (value !== undefined && file !== undefined) {
    sources.faults.add({ where: `environment ${name}`, problem: `both ${name} and ${name}_FILE are set.`, hint: 'Set one of them.' });
    return undefined;
  }
  if (value !== undefined) return accept(sources, value, check, `environment ${name}`, undefined, environmentOrigin(name));
  if (file === undefined) return undefined;
  return fromFile(sources, path.resolve(sources.cwd, file), check, `environment ${name}_FILE`, undefined, (shown) =>
    environmentOrigin(`${name}_FILE`, shown),
  );
}

/**
 * The secrets that a map of the file gives under `name`, `nameFile` or `nameEnv`, of which one may be there; each a text,
 * or a list of them when `many` is allowed.
 */
export function secretsFromFile(
  sources: Sources,
  map: FileMap,
  mapPath: SettingPath,
  name: string,
  check: Check,
  many: boolean,
): readonly FoundSecret[] {
  const { file, faults } = sources;
  if (file === undefined) return [];
  const keys = secretKeys(name);
  const present = keys.filter((key) => map[key] !== undefined);
  const key = present[0];
  if (key === undefined) return [];
  if (present.length > 1) {
    faults.add({
      where: file.where([...mapPath, present[1]!]),
      setting: pathToText([...mapPath, name]),
      problem: `${present.join(' and ')} are set.`,
      hint: 'Set one of them.',
    });
    return [];
  }
  const keyPath = [...mapPath, key];
  const given: readonly unknown[] = many && Array.isArray(map[key]) ? map[key] : [map[key]];
  if (given.length === 0 || !given.every((item) => typeof item === 'string' && item.trim() !== '')) {
    // What stands here is not shown: a number or a list may well be the secret.
    faults.add({
      where: file.where(keyPath),
      setting: pathToText(keyPath),
      problem: `expected a text${many ? ' or a list of texts' : ''}.`,
    });
    return [];
  }
  const found = (given as readonly string[]).map((item) => fromFileItem(sources, item.trim(), key, keyPath, keys, check));
  return found.filter((secret) => secret !== undefined);
}

function fromFileItem(
  sources: Sources,
  item: string,
  key: string,
  keyPath: SettingPath,
  keys: ReturnType<typeof secretKeys>,
  check: Check,
): FoundSecret | undefined {
  const file = sources.file!;
  const where = file.where(keyPath);
  const setting = pathToText(keyPath);
  const line = file.lineOf(keyPath);
  if (key === keys[0]) return accept(sources, item, check, where, setting, { source: 'file', text: line });
  if (key === keys[1]) {
    return fromFile(sources, path.resolve(file.folder, item), check, where, setting, (shown) => ({
      source: 'file',
      text: `${line}, ${shown}`,
    }));
  }
  sources.referencedNames.add(item);
  const value = variable(sources, item);
  if (value !== undefined) return accept(sources, value, check, where, setting, { source: 'file', text: `${line}, environment ${item}` });
  sources.faults.add(
    isVariableName(item)
      ? { where, setting, problem: `the environment has no variable ${item}.` }
      : {
          where,
          setting,
          problem: `expected the name of a variable of the environment, such as PRIMARY_KEY.`,
          hint: `The value is not shown, it may be the secret itself: that belongs in the environment, or in ${keys[0]}.`,
        },
  );
  return undefined;
}

/** People paste the key where its variable's name belongs: only what is written as variables are is shown. */
function isVariableName(text: string): boolean {
  return /^[A-Z_][A-Z0-9_]{0,62}$/.test(text);
}

function fromFile(
  sources: Sources,
  fullPath: string,
  check: Check,
  where: string,
  setting: string | undefined,
  origin: (shownPath: string) => Origin,
): FoundSecret | undefined {
  try {
    return accept(sources, sources.secretFiles.read(fullPath), check, where, setting, origin(fullPath));
  } catch (thrown) {
    // The path stays out of it as well: here, too, the secret itself may have been pasted. The variable or line is named.
    sources.faults.add({
      where,
      ...(setting === undefined ? {} : { setting }),
      problem: `the file that it names cannot be read: ${reasonOf(thrown)}.`,
    });
    return undefined;
  }
}

function accept(
  sources: Sources,
  text: string,
  check: Check,
  where: string,
  setting: string | undefined,
  origin: Origin,
): FoundSecret | undefined {
  if (check.accepts(text)) return { secret: new Secret(text), origin };
  sources.faults.add({
    where,
    ...(setting === undefined ? {} : { setting: showName(setting) }),
    problem: `expected ${check.expected}.`,
    hint: 'The value is not shown.',
  });
  return undefined;
}

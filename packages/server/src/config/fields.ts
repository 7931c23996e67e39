import type { FaultList } from './faults.ts';
import { showName, showReceived } from './faults.ts';
import { pathToText, type SettingPath } from './file/index.ts';
import { nearestHint } from './nearest.ts';
import { defaultOrigin } from './origin.ts';
import type { FileMap, Sources } from './sources.ts';
import type { ValueType } from './value-types.ts';

/** One key of an entry of a map of the file (a provider, a model): a setting that only the file can give. */
export interface Field<Value> {
  readonly type: ValueType<Value>;
  /** In words, for the reference. */
  readonly defaultText: string;
  readonly description: string;
}

/** The value of a key of the file, when it is there and right; a wrong one is a fault and then as if absent. */
export function readField<Value>(
  sources: Sources,
  map: FileMap,
  mapPath: SettingPath,
  name: string,
  field: Field<Value>,
): Value | undefined {
  const path = [...mapPath, name];
  const given = map[name];
  sources.origins.set(pathToText(path), given === undefined ? defaultOrigin : { source: 'file', text: sources.file!.lineOf(path) });
  if (given === undefined) return undefined;
  const parsed = field.type.schema.safeParse(given);
  if (parsed.success) return parsed.data;
  sources.faults.add({
    where: sources.file!.where(path),
    setting: pathToText(path),
    problem: `expected ${field.type.expected}, received ${showReceived(given)}.`,
  });
  return undefined;
}

/** Every key of a map that is not among `known` is a fault. `what` completes `there is no such …`. */
export function refuseUnknownKeys(options: {
  readonly faults: FaultList;
  readonly where: (path: SettingPath) => string;
  readonly map: FileMap;
  readonly path: SettingPath;
  readonly known: Iterable<string>;
}): void {
  const known = [...options.known];
  for (const key of Object.keys(options.map)) {
    if (known.includes(key)) continue;
    const path = [...options.path, key];
    const hint = nearestHint(key, known) ?? `Known here: ${known.join(', ')}.`;
    options.faults.add({ where: options.where(path), setting: pathToText(path), problem: `there is no setting ${showName(key)}.`, hint });
  }
}

import { showReceived } from '../faults.ts';
import { readField, refuseUnknownKeys } from '../fields.ts';
import type { SettingPath } from '../file/index.ts';
import { fileFault, isFileMap, type FileMap, type Sources } from '../sources.ts';
import type { GroupFields } from './resilience-fields.ts';

/** A group of settings of a model: what is given and right, the defaults for the rest. */
export function readGroup<Group extends object>(sources: Sources, given: unknown, path: SettingPath, fields: GroupFields<Group>): Group {
  const names = Object.keys(fields) as (keyof Group & string)[];
  const map = readMap(sources, given, path, names);
  const group: Partial<Group> = {};
  for (const name of names) group[name] = readField(sources, map, path, name, fields[name]) ?? fields[name].default;
  return group as Group;
}

/** A map whose keys are known; one that is none, or has others, is a fault and then as if empty. */
export function readMap(sources: Sources, given: unknown, path: SettingPath, known: readonly string[]): FileMap {
  if (given === undefined || given === null) return {};
  if (!isFileMap(given)) {
    fileFault(sources, path, `expected a map, received ${showReceived(given)}.`);
    return {};
  }
  if (sources.file) refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map: given, path, known });
  return given;
}

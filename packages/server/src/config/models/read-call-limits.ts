import { showReceived } from '../faults.ts';
import { readField, refuseUnknownKeys } from '../fields.ts';
import type { SettingPath } from '../file/index.ts';
import { fileFault, isFileMap, type Sources } from '../sources.ts';
import { callLimitFields } from './call-limit-fields.ts';
import type { CallLimitConfiguration } from './model-configuration.ts';

/** The `rateLimits` of a model. */
export function readCallLimits(sources: Sources, given: unknown, path: SettingPath): CallLimitConfiguration | undefined {
  if (given === undefined || given === null) return undefined;
  if (!isFileMap(given)) {
    fileFault(sources, path, `expected a map such as { tokensPerMinute: 100000 }, received ${showReceived(given)}.`);
    return undefined;
  }
  const names = Object.keys(callLimitFields) as (keyof typeof callLimitFields)[];
  refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map: given, path, known: names });
  const limits: { -readonly [Name in keyof CallLimitConfiguration]: CallLimitConfiguration[Name] } = {};
  for (const name of names) {
    const value = readField(sources, given, path, name, callLimitFields[name]);
    if (value !== undefined) limits[name] = value;
  }
  return Object.keys(limits).length === 0 ? undefined : limits;
}

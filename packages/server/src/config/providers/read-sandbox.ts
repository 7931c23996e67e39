import { checkSandboxOptions, sandboxSettingNames, type SandboxSettings } from '@holdfast/kit/llm/providers/sandbox';
import { refuseUnknownKeys } from '../fields.ts';
import { pathToText, type SettingPath } from '../file/index.ts';
import { fileFault, isFileMap, type FileMap, type Sources } from '../sources.ts';
import type { SandboxProviderConfiguration } from './provider-configuration.ts';

type Group = Partial<SandboxSettings>;

/** A sandbox of the file: settings of the sandbox beside `kind`, and below `models` those of single models. */
export function readSandboxProvider(sources: Sources, name: string, entry: FileMap): SandboxProviderConfiguration {
  const path = ['providers', name];
  const { kind: _kind, models: givenModels, ...own } = entry;
  const settings = readGroup(sources, own, path, [...sandboxSettingNames, 'kind', 'models'], (group) =>
    checkSandboxOptions({ settings: group }),
  );

  const models: [string, Group][] = [];
  if (givenModels !== undefined && !isFileMap(givenModels))
    fileFault(sources, [...path, 'models'], 'expected a map of settings by the name of a model.');
  for (const [model, group] of Object.entries(isFileMap(givenModels) ? givenModels : {})) {
    const modelPath = [...path, 'models', model];
    if (!isFileMap(group)) {
      fileFault(sources, modelPath, 'expected a map of settings.');
      continue;
    }
    // Under a name of our own, since the paths of its faults are read by their dots and model names may have some.
    models.push([
      model,
      readGroup(sources, group, modelPath, sandboxSettingNames, (known) => checkSandboxOptions({ settings, models: { model: known } })),
    ]);
  }
  return { name, kind: 'sandbox', options: { settings, models: Object.fromEntries(models) } };
}

/** The settings of a map that the sandbox knows; empty when it finds a fault in them. */
function readGroup(
  sources: Sources,
  map: FileMap,
  path: SettingPath,
  known: readonly string[],
  check: (group: Group) => readonly { readonly path: string; readonly message: string }[],
): Group {
  refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map, path, known });
  const group = Object.fromEntries(Object.entries(map).filter(([key]) => sandboxSettingNames.includes(key))) as Group;
  const faults = check(group);
  for (const fault of faults) fileFault(sources, [...path, fault.path.split('.').at(-1)!], `it ${fault.message}.`);
  for (const key of Object.keys(group)) {
    sources.origins.set(pathToText([...path, key]), { source: 'file', text: sources.file!.lineOf([...path, key]) });
  }
  return faults.length === 0 ? group : {};
}

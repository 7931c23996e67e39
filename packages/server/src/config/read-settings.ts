import { showReceived } from './faults.ts';
import { pathToText } from './file/index.ts';
import { defaultOrigin, environmentOrigin, overrideOrigin, type Origin } from './origin.ts';
import { secretFromEnvironment, secretsFromFile } from './read-secret.ts';
import type { SecretSetting, Setting } from './setting.ts';
import { settingEntries, type Settings } from './settings.ts';
import { fileSection, variable, type FileMap, type Sources } from './sources.ts';

/** The settings that are not maps: command line over environment over file over default. A faulty value leaves its default. */
export function readSettings(sources: Sources): Settings {
  const values: Record<string, Record<string, unknown>> = {};
  const sections = new Map<string, FileMap>();
  for (const { section, name, setting } of settingEntries) {
    let map = sections.get(section);
    if (map === undefined) sections.set(section, (map = fileSection(sources, section)));
    const target = (values[section] ??= {});
    target[name] = setting.secret ? readSecret(sources, map, section, name, setting) : readSetting(sources, map, section, name, setting);
  }
  // Row by row of the table that the type is derived from.
  return values as unknown as Settings;
}

function readSecret(sources: Sources, map: FileMap, section: string, name: string, setting: SecretSetting): unknown {
  const inFile = secretsFromFile(sources, map, [section], name, setting, false)[0];
  const found = secretFromEnvironment(sources, setting.environment, setting) ?? inFile;
  sources.origins.set(pathToText([section, name]), found?.origin ?? defaultOrigin);
  return found?.secret;
}

function readSetting(sources: Sources, map: FileMap, section: string, name: string, setting: Setting<unknown>): unknown {
  const { file, faults, cwd } = sources;
  const settingName = pathToText([section, name]);
  let value = setting.default;
  let origin: Origin = defaultOrigin;
  let folder = cwd;

  // From the weakest source to the strongest, and all of them: a fault in the file is one also while the environment hides it.
  const offer = (given: unknown, where: string, givenOrigin: Origin, givenFolder: string): void => {
    const parsed = setting.type.schema.safeParse(given);
    if (parsed.success) [value, origin, folder] = [parsed.data, givenOrigin, givenFolder];
    else faults.add({ where, setting: settingName, problem: `expected ${setting.type.expected}, received ${showReceived(given)}.` });
  };
  if (file !== undefined && map[name] !== undefined) {
    offer(map[name], file.where([section, name]), { source: 'file', text: file.lineOf([section, name]) }, file.folder);
  }
  const inEnvironment = variable(sources, setting.environment);
  if (inEnvironment !== undefined && !isClusterPort(setting.environment, inEnvironment)) {
    offer(setting.type.fromText(inEnvironment), `environment ${setting.environment}`, environmentOrigin(setting.environment), cwd);
  }
  const override = (sources.overrides as Readonly<Record<string, FileMap | undefined>>)[section]?.[name];
  if (override !== undefined) {
    offer(typeof override === 'string' ? setting.type.fromText(override) : override, 'command line', overrideOrigin, cwd);
  }

  sources.origins.set(settingName, origin);
  return value !== undefined && setting.type.resolve ? setting.type.resolve(value, folder) : value;
}

/** Kubernetes sets `HOLDFAST_PORT=tcp://10.0.0.1:8080` in every pod beside a service called `holdfast`. */
function isClusterPort(name: string, value: string): boolean {
  return name === 'HOLDFAST_PORT' && /^(?:tcp|udp|sctp):\/\//.test(value);
}

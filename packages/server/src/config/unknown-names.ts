import { isForClients, isInjectedByCluster } from './environment.ts';
import { showName } from './faults.ts';
import { nearestHint } from './nearest.ts';
import { settingEntries, settings } from './settings.ts';
import { isFileMap, fileFault, type Sources } from './sources.ts';
import { refuseUnknownKeys } from './fields.ts';
import { secretKeys, type SettingSection } from './setting.ts';

/** Maps of the file, beside the sections of settings. */
export const fileMaps = ['providers', 'models', 'prices'] as const;

/** Maps inside of a section, beside its settings: read by those who know them. */
const mapsOfSections: Readonly<Record<string, readonly string[]>> = {
  rateLimits: ['levels', 'tiers', 'endpoints'],
  alerts: ['channels', 'rules'],
};

/** Every name that the file may use on its top two levels: what is below is refused by those who read it. */
export function refuseUnknownFileNames(sources: Sources): void {
  const { file, faults } = sources;
  const root = file?.root;
  if (file === undefined || root === null || root === undefined) return;
  if (!isFileMap(root)) return fileFault(sources, [], 'expected a map of sections at the top of the file.');
  const where = file.where.bind(file);
  refuseUnknownKeys({ faults, where, map: root, path: [], known: [...Object.keys(settings), ...fileMaps] });
  for (const [section, rows] of Object.entries<SettingSection>(settings)) {
    const map = root[section];
    if (!isFileMap(map)) continue;
    const known: string[] = Object.entries(rows).flatMap(([name, setting]) => (setting.secret ? secretKeys(name) : [name]));
    known.push(...(mapsOfSections[section] ?? []));
    refuseUnknownKeys({ faults, where, map, path: [section], known });
  }
}

/** A `HOLDFAST_…` that nobody reads is a slip of the pen, and the setting that was meant is not in force. */
export function refuseUnknownVariables(sources: Sources): void {
  const known = new Set(['HOLDFAST_CONFIG']);
  for (const { setting } of settingEntries) {
    known.add(setting.environment);
    if (setting.secret) known.add(`${setting.environment}_FILE`);
  }
  const names = [...known].filter((name) => name.startsWith('HOLDFAST_'));
  for (const [name, value] of Object.entries(sources.env)) {
    if (!name.startsWith('HOLDFAST_') || value === undefined) continue;
    if (known.has(name) || sources.referencedNames.has(name) || isForClients(name) || isInjectedByCluster(name, value)) continue;
    const hint = nearestHint(name, names) ?? 'The reference page of the configuration lists all of them.';
    sources.faults.add({ where: `environment ${showName(name)}`, problem: 'there is no such setting.', hint });
  }
}

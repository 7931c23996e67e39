import { showReceived } from '../faults.ts';
import type { Settings } from '../settings.ts';
import { fileFault, fileSection, isFileMap, type FileMap, type Sources } from '../sources.ts';
import type { AlertConfiguration } from './alert-configuration.ts';
import { readChannels } from './read-channels.ts';
import { readRules } from './read-rules.ts';

/** The channels and rules of `alerts`, beside its plain settings. */
export function readAlerts(sources: Sources, settings: Settings['alerts']): AlertConfiguration {
  const section = fileSection(sources, 'alerts');
  const channels = readChannels(sources, settings, mapAt(sources, section, 'channels'));
  const rules = readRules(sources, mapAt(sources, section, 'rules'));
  return { ...settings, enabled: settings.enabled ?? channels.length > 0, channels, rules };
}

function mapAt(sources: Sources, section: FileMap, name: string): FileMap {
  const given = section[name];
  if (given === undefined || given === null) return {};
  if (isFileMap(given)) return given;
  fileFault(sources, ['alerts', name], `expected a map, received ${showReceived(given)}.`);
  return {};
}

import type { Configuration } from './configuration.ts';
import { FaultList } from './faults.ts';
import { loadConfiguration, type LoadOptions } from './load.ts';
import { SecretFiles } from './secret-file.ts';

/** Where the configuration of this process comes from. The environment of a process cannot change; its files can. */
export interface ConfigurationSource {
  /** What was read at start. */
  readonly atStart: Configuration;
  /**
   * Reads the files again. Throws `configuration_invalid` with every fault; reads files and does nothing else. `inForce` is
   * what would be replaced.
   */
  read(inForce: Configuration): Configuration;
}

/** Reads the configuration for a start. Throws `configuration_invalid` with every fault. */
export function openConfigurationSource(options: Omit<LoadOptions, 'secretFiles'>): ConfigurationSource {
  const secretFiles = new SecretFiles();
  const load = (): Configuration => loadConfiguration({ ...options, secretFiles });
  const atStart = load();
  secretFiles.started();
  return {
    atStart,
    read(inForce) {
      const next = load();
      refuseNothing(inForce, next);
      return next;
    },
  };
}

/**
 * No file, or one without a word, is a configuration too: that of the sandbox. At a start it is what somebody begins with; later it
 * is a slip, or a file that is just being written, and would take every model away.
 */
function refuseNothing(inForce: Configuration, next: Configuration): void {
  if (!saysSomething(inForce) || saysSomething(next)) return;
  const faults = new FaultList();
  if (next.file === undefined)
    faults.add({ where: inForce.file!, problem: 'the file is gone.', hint: 'Put it back, or restart without it.' });
  else faults.add({ where: next.file, problem: 'the file says nothing.', hint: 'Restart if that is meant.' });
  faults.throwIfAny();
}

function saysSomething({ file, fileIsEmpty }: Configuration): boolean {
  return file !== undefined && !fileIsEmpty;
}

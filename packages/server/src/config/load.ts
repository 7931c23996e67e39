import { readAlerts } from './alerts/index.ts';
import type { Configuration } from './configuration.ts';
import { refuseContradictions } from './contradictions.ts';
import type { Variables } from './environment.ts';
import { FaultList } from './faults.ts';
import { readConfigurationFile } from './file/index.ts';
import { deepFreeze } from './freeze.ts';
import { readModels } from './models/index.ts';
import { readPrices } from './prices/index.ts';
import { allKinds, readProviders } from './providers/index.ts';
import { readRateLimits } from './rate-limits/index.ts';
import { readSettings } from './read-settings.ts';
import { SecretFiles } from './secret-file.ts';
import type { Settings } from './settings.ts';
import { isFileMap, type Overrides, type Sources } from './sources.ts';
import { refuseUnknownFileNames, refuseUnknownVariables } from './unknown-names.ts';

export interface LoadOptions {
  /** The environment: what `readEnvironment` gave, or a test's own. */
  readonly env: Variables;
  /** Where the file is looked for and what relative paths hang on; absolute. */
  readonly cwd: string;
  /** What the command line sets, in the shape of the file. Above everything else. */
  readonly overrides?: Overrides;
  /** Reads the files of secrets. Given to a reload again, so that it knows the pipes that were read already. */
  readonly secretFiles?: SecretFiles;
}

/**
 * Reads file and environment and checks them together. Throws `configuration_invalid` with every fault in one list
 * (`details.faults`, and readable in the message). Reads files, opens nothing else, changes nothing.
 */
export function loadConfiguration({ env, cwd, overrides = {}, secretFiles = new SecretFiles() }: LoadOptions): Configuration {
  const faults = new FaultList();
  const { file, unreadable } = readConfigurationFile({ env, cwd, faults });
  const sources: Sources = {
    env,
    cwd,
    file,
    overrides,
    secretFiles,
    faults,
    origins: new Map(),
    referencedNames: new Set(),
  };

  refuseUnknownFileNames(sources);
  const settings = readSettings(sources);
  const { providers, names } = readProviders(sources);
  const models = readModels(sources, names);
  const prices = readPrices(sources, allKinds);
  const rateLimits = readRateLimits(sources, settings.rateLimits);
  const alerts = readAlerts(sources, settings.alerts);
  // The file may name variables (`apiKeyEnv`) and hold what a contradiction misses.
  if (!unreadable) {
    refuseUnknownVariables(sources);
    refuseContradictions(sources, settings);
  }
  faults.throwIfAny();

  return deepFreeze({
    ...settings,
    server: lowerHeadersTimeout(settings.server),
    providers,
    models,
    prices,
    rateLimits,
    alerts,
    file: file?.displayName,
    fileIsEmpty: file !== undefined && isEmpty(file.root),
    origins: Object.fromEntries(sources.origins),
  });
}

function isEmpty(root: unknown): boolean {
  return root === null || root === undefined || (isFileMap(root) && Object.keys(root).length === 0);
}

/** A default that gives way to a shorter limit that was set: Node refuses headers that may take longer than the request. */
function lowerHeadersTimeout(server: Settings['server']): Settings['server'] {
  return { ...server, headersTimeoutMs: Math.min(server.headersTimeoutMs, server.requestTimeoutMs) };
}

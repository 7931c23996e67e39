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
import type { Settings } from './settings.ts';
import type { Overrides, Sources } from './sources.ts';
import { refuseUnknownFileNames, refuseUnknownVariables } from './unknown-names.ts';

export interface LoadOptions {
  /** The environment: what `readEnvironment` gave, or a test's own. */
  readonly env: Variables;
  /** Where the file is looked for and what relative paths hang on; absolute. */
  readonly cwd: string;
  /** What the command line sets, in the shape of the file. Above everything else. */
  readonly overrides?: Overrides;
}

/**
 * Reads file and environment and checks them together. Throws `configuration_invalid` with every fault in one list
 * (`details.faults`, and readable in the message). Reads files, opens nothing else, changes nothing.
 */
export function loadConfiguration({ env, cwd, overrides = {} }: LoadOptions): Configuration {
  const faults = new FaultList();
  const { file, unreadable } = readConfigurationFile({ env, cwd, faults });
  const sources: Sources = {
    env,
    cwd,
    file,
    overrides,
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
    file: file?.displayName,
    origins: Object.fromEntries(sources.origins),
  });
}

/** A default that gives way to a shorter limit that was set: Node refuses headers that may take longer than the request. */
function lowerHeadersTimeout(server: Settings['server']): Settings['server'] {
  return { ...server, headersTimeoutMs: Math.min(server.headersTimeoutMs, server.requestTimeoutMs) };
}

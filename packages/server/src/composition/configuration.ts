import { hostname } from 'node:os';
import process from 'node:process';
import type { Clock } from '@holdfast/kit/time';
import {
  compareConfigurations,
  configurationDigest,
  restartRequired,
  sameValue,
  type Configuration,
  type ConfigurationSource,
} from '../config/index.ts';
import { createConfigurationService, type ConfigurationService, type Reloadable } from '../features/configuration/index.ts';
import type { AuditTrail } from '../platform/audit/index.ts';
import type { KeyRing } from '../platform/keyring/index.ts';
import type { Closers } from './closers.ts';

export interface ConfigurationOptions {
  readonly source: ConfigurationSource;
  readonly parts: readonly Reloadable<Configuration>[];
  readonly keyRing: KeyRing;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly closers: Closers;
}

/** What a configuration is reloaded by, for all who may ask for it. */
export function openConfiguration({ source, parts, keyRing, audit, clock, closers }: ConfigurationOptions): ConfigurationService {
  const digestKey = keyRing.derive('configuration digest');
  const service = createConfigurationService<Configuration>({
    atStart: source.atStart,
    port: {
      read: (inForce) => source.read(inForce),
      same: sameValue,
      compare: (before, after) => ({ ...compareConfigurations(before, after) }),
      restartRequired,
      digest: (configuration) => configurationDigest(configuration, digestKey),
      fileOf: ({ file }) => file,
    },
    parts,
    audit,
    clock,
  });
  closers.add('configuration', () => service.close());
  return service;
}

/** By which an operator tells instances apart. In a container the host is its name, and the process is 1. */
export const instance = Object.freeze({ host: hostname(), pid: process.pid });

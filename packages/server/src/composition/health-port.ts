import { HoldfastError } from '@holdfast/kit/errors';
import type { HealthRegistry } from '@holdfast/kit/health';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { openHealthPort as open, type HealthPort } from '../entry/health-port/index.ts';
import type { Closers } from './closers.ts';

export interface OpenHealthPortOptions {
  readonly configuration: Configuration;
  readonly health: HealthRegistry;
  readonly version: string;
  readonly clock: Clock;
  readonly closers: Closers;
}

/** Probes from a thread of their own, where the configuration has a port for them: the first to open and the last to close. */
export async function openHealthPort({
  configuration,
  health,
  version,
  clock,
  closers,
}: OpenHealthPortOptions): Promise<HealthPort | undefined> {
  const { server } = configuration;
  const { port, host = server.host, stuckMs } = configuration.health;
  if (port === undefined) return undefined;
  // Whichever opened second would say that another program listens there.
  if (port !== 0 && port === server.port) throw new HoldfastError('health_port_unusable', { detail: `${port} is the port of the API` });
  const opened = await open({ host, port, stuckMs, health, version, clock });
  closers.add('health port', () => opened.close());
  return opened;
}

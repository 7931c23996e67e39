import type { Clock, Random } from '../../time/index.ts';
import { checkNumber, withDefaults } from '../options.ts';
import type { Finding } from './finding.ts';
import { OffenceTable } from './offence-table.ts';
import { checkCounting, type CountingOptions } from './options.ts';
import { classifyPath } from './probe-paths.ts';
import { createTokenHash } from './token-hash.ts';

export interface EndpointScanningOptions extends CountingOptions {
  /** Default 20: as many paths, or four of those that only scanners ask for. */
  readonly threshold?: number;
  /** Default 300,000. */
  readonly windowMs?: number;
  /** What a path such as `/.env` or `/wp-login.php` counts, where another unknown one counts 1. Default 5. */
  readonly probeWeight?: number;
  /** Default 50,000; about 600 bytes each with one path, twice that with many. */
  readonly maxClients?: number;
}

export const endpointScanningDefaults = Object.freeze({ threshold: 20, windowMs: 300_000, probeWeight: 5, maxClients: 50_000 });

export interface EndpointScanning {
  /** A client asked for a path (without its query) that nothing answers to. `factor` weighs it: 2 for a client that looks like a tool. */
  notFound(client: string, path: string, factor?: number): Finding | undefined;
  /** Clients that are remembered. */
  readonly size: number;
}

/**
 * Many different paths that do not exist. The same path again counts nothing: a program with a wrong address asks for one thing for ever.
 * Throws `configuration_invalid`.
 */
export function createEndpointScanning(clock: Clock, random: Random, given: EndpointScanningOptions = {}): EndpointScanning {
  const options = withDefaults<EndpointScanningOptions>('endpoint scanning', endpointScanningDefaults, given);
  checkCounting('endpoint scanning', options);
  checkNumber('probeWeight', options.probeWeight, { min: 0 });
  const table = new OffenceTable({ clock, threshold: options.threshold, windowMs: options.windowMs, maxKeys: options.maxClients });
  const hash = createTokenHash(random);

  return {
    notFound(client, path, factor = 1) {
      const kind = classifyPath(path);
      if (kind === 'harmless') return undefined;
      const weight = factor * (kind === 'probe' ? options.probeWeight : 1);
      const { level, count, samples } = table.add(client, weight, { token: hash(path), sample: path });
      if (level <= options.threshold) return undefined;
      table.drop(client);
      return { kind: 'endpoint_scanning', advice: 'ban', client, subject: null, evidence: { paths: count, examples: samples } };
    },
    get size() {
      return table.size;
    },
  };
}

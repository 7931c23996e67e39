import type { ErrorRow } from './error-row.ts';

/** What keeps a server from starting or ends it: shown on the terminal, as one line and exit code 1. */
export const startErrors = {
  configuration_invalid: {
    category: 'internal',
    message: 'The configuration has faults.',
    help: 'Every fault is named in one list at start, with the nearest known name for an unknown one.',
  },
  node_too_old: {
    category: 'internal',
    message: 'This version of Node is too old. Holdfast needs Node 22.19 or later.',
    help: 'Within the workspace npm brings the right Node; it is missing where npm skipped optional dependencies or the platform has none.',
  },
  platform_unsupported: {
    category: 'internal',
    message: 'The embedded PostgreSQL does not run on this platform. Set DATABASE_URL to a PostgreSQL 15 or later.',
    help: 'There are no binaries for this operating system, processor or C library (musl).',
  },
  data_folder_in_use: {
    category: 'internal',
    message: 'Another server is running on this data folder. Stop it, or choose another folder with HOLDFAST_DATA_DIR.',
    help: 'One data folder serves one server at a time.',
  },
  data_folder_unusable: {
    category: 'internal',
    message: 'The data folder cannot be used. Choose another with HOLDFAST_DATA_DIR.',
    help: 'It cannot be made, is not writable, or is not a Holdfast folder.',
  },
  data_folder_version: {
    category: 'internal',
    message:
      'The data folder was made by another major version of PostgreSQL. Use the version of Holdfast that made it, or dump and restore.',
    help: 'The embedded PostgreSQL does not upgrade its files by itself.',
  },
  disk_full: {
    category: 'internal',
    message: 'The disk is full. Free some space and start again.',
    help: 'PostgreSQL could not write to its data folder.',
  },
  port_unusable: {
    category: 'internal',
    message: 'The port cannot be used. Choose another with HOLDFAST_PORT.',
    help: 'It is taken by another program, or the user may not open it.',
  },
  health_port_unusable: {
    category: 'internal',
    message: 'The port of the probes cannot be used. Choose another with HOLDFAST_HEALTH_PORT, or leave it out.',
    help: 'It is taken by another program, is that of the API, or the user may not open it.',
  },
  postgres_start_failed: {
    category: 'internal',
    message: 'The embedded PostgreSQL did not start.',
    help: 'The last lines of its log are shown with the error.',
  },
  database_login_unsafe: {
    category: 'internal',
    message: 'The login of DATABASE_URL is a superuser or may bypass row-level security. Holdfast refuses to serve with it.',
    help: 'Row-level security does not hold for such a login. The deployment guide has the two statements that make a proper one.',
  },
  database_version: {
    category: 'internal',
    message: 'The database is too old. Holdfast needs PostgreSQL 15 or later.',
    help: 'Shown at start.',
  },
  database_schema_newer: {
    category: 'internal',
    message: 'The database was migrated by a newer Holdfast. Start that version.',
    help: 'The migrations table names a migration that this version does not know.',
  },
  migration_failed: {
    category: 'internal',
    message: 'A migration of the database failed. Nothing of it was kept.',
    help: 'The log has the migration and the cause.',
  },
  master_key_unusable: {
    category: 'internal',
    message: 'The master key is missing, malformed or not the one of this database. Set HOLDFAST_MASTER_KEY or HOLDFAST_MASTER_KEY_FILE.',
    help: 'Key hashes depend on it. With DATABASE_URL it must be set, since instances share it; with the embedded database it is made on the first start.',
  },
} as const satisfies Record<string, ErrorRow>;

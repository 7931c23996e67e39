import type { ErrorCode } from '@holdfast/kit/errors';

/** Errors that end a start, before a request can meet them. All others are exits of a request. */
export const startErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'configuration_invalid',
  'data_folder_in_use',
  'data_folder_unusable',
  'data_folder_version',
  'database_login_unsafe',
  'database_schema_newer',
  'database_version',
  'health_port_unusable',
  'master_key_unusable',
  'migration_failed',
  'node_too_old',
  'platform_unsupported',
  'port_unusable',
  'postgres_start_failed',
]);

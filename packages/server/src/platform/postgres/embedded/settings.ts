import type { Settled } from './options.ts';

export interface SettingsContext {
  readonly data: string;
  readonly socketDir: string;
  readonly port: number;
  /** Version of the package of binaries: another one means that a running server has to be restarted. */
  readonly packageVersion: string;
}

/**
 * The arguments of the server. On the command line, because there neither a file of the data folder nor ALTER SYSTEM can
 * override them, and because PostgreSQL writes them into `postmaster.opts`, where the next start sees what is in force.
 */
export function serverArguments(context: SettingsContext, options: Pick<Settled, 'maxConnections' | 'sharedBuffersMiB'>): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '',
    unix_socket_directories: `"${context.socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    port: context.port,
    // Durable means on the disk.
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    max_connections: options.maxConnections + 3,
    superuser_reserved_connections: 3,
    shared_buffers: `${options.sharedBuffersMiB}MB`,
    maintenance_work_mem: '64MB',
    max_wal_size: '1GB',
    checkpoint_timeout: '15min',
    random_page_cost: 1.1,
    // One small machine: no worker processes for input and output, none for parallel plans (their segments do not fit in the
    // 64 MB of /dev/shm that a container has), no compiling of plans.
    io_method: 'sync',
    max_parallel_workers_per_gather: 0,
    max_logical_replication_workers: 0,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // To standard error, which is our file. Without statements and details, since both hold what users wrote.
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '%m [%p] ',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    log_min_duration_statement: -1,
    log_statement: 'none',
    log_checkpoints: 'off',
    log_autovacuum_min_duration: -1,
    cluster_name: 'holdfast',
    'holdfast.binaries': context.packageVersion,
  };
  return ['-D', context.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** All that PostgreSQL's processes see of the environment: no secret of ours, and no `PG…` variable that would change them. */
export const serverEnvironment: Readonly<Record<string, string>> = Object.freeze({ LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' });

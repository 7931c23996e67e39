export type FindingSeverity = 'info' | 'warning' | 'critical';
export type FindingArea = 'configuration' | 'database' | 'process' | 'dependencies' | 'providers';

export interface FindingRow {
  readonly area: FindingArea;
  /** `critical`: work is lost or at risk now. `warning`: it will be. `info`: good to know. */
  readonly severity: FindingSeverity;
  /** What was found, in words. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** It keeps calls waiting. */
  readonly bottleneck?: true;
}

/** Everything that diagnostics can find, once: the answers of the API and docs/reference/diagnostics.md are made of it. */
export const findingTable = {
  // --- configuration
  trusts_every_proxy: {
    area: 'configuration',
    severity: 'critical',
    message: 'Every address counts as a trusted proxy, so that each client chooses the address that it is known by.',
    remedy: 'Name your proxies and nobody else in HOLDFAST_TRUSTED_PROXIES.',
  },
  provider_without_tls: {
    area: 'configuration',
    severity: 'critical',
    message: 'Keys and prompts travel to a provider in the clear.',
    remedy: 'Give its `baseUrl` as https, or keep the way there inside of one machine or an encrypted network.',
  },
  database_without_tls: {
    area: 'configuration',
    severity: 'warning',
    message: 'The connection to the database on another machine does not ask for TLS.',
    remedy: 'Add `sslmode=verify-full` to DATABASE_URL, or keep the way there inside of an encrypted network.',
  },
  redis_without_tls: {
    area: 'configuration',
    severity: 'warning',
    message: 'The connection to Redis on another machine does not use TLS.',
    remedy: 'Use a `rediss://` address in REDIS_URL, or keep the way there inside of an encrypted network.',
  },
  cors_any_origin: {
    area: 'configuration',
    severity: 'warning',
    message: 'Pages of any origin may call the API from a browser.',
    remedy: 'Name the origins of your own pages in HOLDFAST_CORS_ORIGINS.',
  },
  metrics_open: {
    area: 'configuration',
    severity: 'info',
    message: 'Metrics are served to everybody who reaches the port.',
    remedy: 'Set a token for them, or keep /metrics from outside at your proxy.',
  },
  rate_limits_off: {
    area: 'configuration',
    severity: 'warning',
    message: 'Requests are not limited: one client can take all there is.',
    remedy: 'Set RATE_LIMIT_ENABLED=true, at first with RATE_LIMIT_SHADOW=true to see whom limits would meet.',
  },
  rate_limits_in_shadow: {
    area: 'configuration',
    severity: 'info',
    message: 'Limits on requests are counted and not enforced.',
    remedy: 'Set RATE_LIMIT_SHADOW=false when the counts look right.',
  },
  abuse_off: {
    area: 'configuration',
    severity: 'warning',
    message: 'Nobody looks for scanning and the guessing of keys.',
    remedy: 'Set HOLDFAST_ABUSE_ENABLED=true.',
  },
  abuse_in_shadow: {
    area: 'configuration',
    severity: 'info',
    message: 'Abuse is found and nobody is banned for it.',
    remedy: 'Set HOLDFAST_ABUSE_SHADOW=false when the log shows no false alarm.',
  },
  overload_off: {
    area: 'configuration',
    severity: 'warning',
    message: 'No request is refused when there is too much to do, so that all of them become slow together.',
    remedy: 'Set HOLDFAST_OVERLOAD_ENABLED=true.',
  },
  log_verbose: {
    area: 'configuration',
    severity: 'info',
    message: 'The log writes more than production needs, and pays for it with every request.',
    remedy: 'Set LOG_LEVEL=info.',
  },
  drain_at_grace_period: {
    area: 'configuration',
    severity: 'info',
    message:
      'A stop may take as long as the 30 s that Kubernetes and Docker Swarm give by default: what is left then is killed in the middle of closing.',
    remedy:
      'Lower HOLDFAST_DRAIN_TIMEOUT_MS to 25000, or raise the grace period (`terminationGracePeriodSeconds`) to five seconds more than it.',
  },
  probes_wait_for_calls: {
    area: 'configuration',
    severity: 'info',
    message: 'Probes are answered by the event loop that serves calls, and come late when it is busy.',
    remedy: 'Set HOLDFAST_HEALTH_PORT and point liveness and readiness probes there.',
  },
  instances_without_redis: {
    area: 'configuration',
    severity: 'warning',
    message:
      'Several instances run and share nothing but the database: each enforces the whole of every limit, and finds out by itself that a target fails.',
    remedy: 'Set REDIS_URL at every instance.',
  },
  sandbox_beside_providers: {
    area: 'configuration',
    severity: 'info',
    message: 'The sandbox, whose answers are made up, is configured beside real providers.',
    remedy: 'Take it out of the configuration of production.',
  },
  models_without_fallback: {
    area: 'configuration',
    severity: 'info',
    message: 'Models have one target only: when it fails, their calls do.',
    remedy: 'Give them a second target at another provider.',
  },
  models_without_price: {
    area: 'configuration',
    severity: 'warning',
    message: 'The price of a target is not known, so that its calls are recorded without their cost.',
    remedy: 'Set its price under `prices` in the configuration.',
  },
  restart_waits: {
    area: 'configuration',
    severity: 'warning',
    message: 'Settings were changed by a reload that only a restart puts in force.',
    remedy: 'Restart the instance.',
  },

  // --- database
  database_unreachable: {
    area: 'database',
    severity: 'critical',
    message: 'The database does not answer: no call can be recorded, so none is made.',
    remedy: 'Look whether it runs, whether this machine reaches it, and whether it has connections left.',
  },
  database_slow: {
    area: 'database',
    severity: 'warning',
    bottleneck: true,
    message: 'One round trip to the database takes long, and every call waits for one or two.',
    remedy: 'Run it nearer to this server, and look at its processors and disks.',
  },
  database_connections_short: {
    area: 'database',
    severity: 'warning',
    bottleneck: true,
    message: 'Nearly all connections of the database are in use.',
    remedy: 'Raise `max_connections`, lower POSTGRES_MAX_CONNECTIONS at the instances, or put a connection pooler in between.',
  },
  database_ceiling_too_high: {
    area: 'database',
    severity: 'warning',
    message: 'The instances may open more connections together than the database takes.',
    remedy: 'Keep POSTGRES_MAX_CONNECTIONS times the number of instances below `max_connections`.',
  },
  database_locks: {
    area: 'database',
    severity: 'warning',
    bottleneck: true,
    message: 'Statements wait for a lock that somebody holds.',
    remedy:
      'Find the holder with `select pid, pg_blocking_pids(pid), query from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0`, and end it.',
  },
  database_long_transaction: {
    area: 'database',
    severity: 'warning',
    message: 'A transaction has been open for long: nothing that was deleted or changed since can be cleared away.',
    remedy: 'Find it in pg_stat_activity by `xact_start`, and end it; backups and reports belong on a standby.',
  },
  database_bloat: {
    area: 'database',
    severity: 'warning',
    message: 'Tables carry many dead rows: autovacuum does not keep up.',
    remedy: 'Look for long transactions first; then `vacuum (verbose)` the tables, and lower their `autovacuum_vacuum_scale_factor`.',
  },
  database_sequential_scans: {
    area: 'database',
    severity: 'info',
    message: 'Large tables are mostly read from end to end: an index is missing.',
    remedy: 'Find the statements in the log (slow statements) and index what they look for. Of tables of Holdfast tell us.',
  },
  database_foreign_keys_without_index: {
    area: 'database',
    severity: 'info',
    message: 'Foreign keys of large tables lead no index: deleting what they refer to reads the whole table.',
    remedy: 'Create an index on their columns, with CONCURRENTLY.',
  },
  database_invalid_index: {
    area: 'database',
    severity: 'warning',
    message: 'An index was not built to its end: it is written and never read.',
    remedy: '`reindex index concurrently` it, or drop it and start Holdfast again.',
  },
  database_replication_lag: {
    area: 'database',
    severity: 'warning',
    message: 'A standby is behind: what was committed last would be lost with the primary.',
    remedy: 'Look at the network to the standby and at its disks.',
  },
  database_slot_retains_wal: {
    area: 'database',
    severity: 'critical',
    message: 'A replication slot keeps WAL for somebody who does not fetch it: it fills the disk.',
    remedy: 'Bring its consumer back, or drop it with `pg_drop_replication_slot`; set `max_slot_wal_keep_size`.',
  },
  database_wraparound_near: {
    area: 'database',
    severity: 'critical',
    message: 'The oldest row waits to be frozen: at 2 × 10⁹ transactions the database takes no more writes.',
    remedy: 'Run `vacuum (freeze)` in the database with the oldest `datfrozenxid`, after ending long transactions and dropping dead slots.',
  },
  database_partly_seen: {
    area: 'database',
    severity: 'info',
    message: 'Some questions to the database were not answered.',
    remedy: 'Grant `pg_monitor` to the login of DATABASE_URL where it says "not allowed".',
  },

  // --- process
  clock_skew: {
    area: 'process',
    severity: 'warning',
    message: 'The clocks of this machine and of the database differ: expiry, leases and times in the ledger are off by as much.',
    remedy: 'Let NTP (chrony, systemd-timesyncd) set both.',
  },
  disk_short: {
    area: 'process',
    severity: 'critical',
    bottleneck: true,
    message: 'A disk that the server writes to is nearly full.',
    remedy: 'Free space, or give it a larger disk. A full one stops the embedded database.',
  },
  file_descriptors_short: {
    area: 'process',
    severity: 'warning',
    bottleneck: true,
    message: 'Most of the files that this process may open are open. A call takes two.',
    remedy:
      'Raise the limit (`LimitNOFILE` of systemd, `ulimit -n`), or lower HOLDFAST_OVERLOAD_MAX_REQUESTS_IN_PROGRESS below half of it.',
  },
  event_loop_late: {
    area: 'process',
    severity: 'warning',
    bottleneck: true,
    message: 'The event loop is late: every request waits for its turn.',
    remedy: 'Start more instances, and look for very large bodies and a verbose log.',
  },
  heap_short: {
    area: 'process',
    severity: 'critical',
    bottleneck: true,
    message: 'The JavaScript heap is nearly full; the process ends when it is.',
    remedy: 'Start more instances, lower HOLDFAST_OVERLOAD_MAX_REQUESTS_IN_PROGRESS, or raise NODE_OPTIONS=--max-old-space-size.',
  },
  memory_short: {
    area: 'process',
    severity: 'critical',
    bottleneck: true,
    message: 'The memory of the container or machine is nearly used up; the kernel ends the process when it is.',
    remedy: 'Give it more memory, or start more instances with fewer requests each.',
  },

  // --- what it stands on
  ledger_unavailable: {
    area: 'dependencies',
    severity: 'critical',
    message: 'Calls cannot be recorded, and are refused.',
    remedy: 'Look at the findings about the database.',
  },
  ledger_queue_long: {
    area: 'dependencies',
    severity: 'warning',
    bottleneck: true,
    message: 'Many rows wait to be committed, and the answers of their calls with them.',
    remedy: 'Look at the disk of the database: a commit should take less than a millisecond.',
  },
  pool_exhausted: {
    area: 'dependencies',
    severity: 'warning',
    bottleneck: true,
    message: 'Callers wait for a connection of a pool.',
    remedy: 'Raise POSTGRES_MAX_CONNECTIONS, or find the slow statements in the log.',
  },
  dependency_unwell: {
    area: 'dependencies',
    severity: 'warning',
    message: 'Something that the server uses is not well.',
    remedy: 'GET /api/health/detailed shows since when and why; the log has the cause.',
  },
  breaker_held_open: {
    area: 'dependencies',
    severity: 'info',
    message: 'An operator keeps calls away from a target.',
    remedy: '`holdfast breakers close` lets them pass again.',
  },

  // --- providers, when they were called
  provider_call_failed: {
    area: 'providers',
    severity: 'critical',
    message: 'A call to the provider failed.',
    remedy: 'Look up the error code in the reference of errors: most often it is the key, the quota or the network.',
  },
} as const satisfies Record<string, FindingRow>;

export type FindingCode = keyof typeof findingTable;

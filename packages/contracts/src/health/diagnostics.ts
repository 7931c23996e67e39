import { z } from 'zod';
import { costNanoUsd, costUsd, timestamp } from '../common/index.ts';
import { healthStatus } from './health.ts';

const count = z.int().nonnegative();
const bytes = z.number().nonnegative();
const milliseconds = z.number();

export const findingSeverity = z.enum(['info', 'warning', 'critical']).meta({
  id: 'FindingSeverity',
  description: '`critical`: work is lost or at risk now. `warning`: it will be. `info`: good to know.',
});

export const finding = z
  .object({
    code: z.string().meta({ description: 'Of the reference of diagnostics.', examples: ['database_locks'] }),
    severity: findingSeverity,
    area: z.enum(['configuration', 'database', 'process', 'dependencies', 'providers']),
    message: z.string().meta({ description: 'What was found.' }),
    evidence: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]))
      .meta({ description: 'By what it was found.' }),
    remedy: z.string().meta({ description: 'What to do about it.' }),
    bottleneck: z.boolean().meta({ description: 'It keeps calls waiting.' }),
  })
  .meta({ id: 'Finding', description: 'Something that an operator should know.' });

const databaseFacts = z
  .object({
    version: z.string(),
    in_recovery: z.boolean(),
    round_trip_ms: milliseconds,
    clock_skew_ms: milliseconds.meta({ description: 'Its clock less ours.' }),
    max_connections: count.meta({ description: 'That a login without privileges can have.' }),
    used_connections: count.nullable(),
    lock_waits: count.nullable(),
    open_transactions: count.nullable(),
    longest_transaction_ms: milliseconds.nullable(),
    transaction_age: count.nullable(),
    size_bytes: bytes.nullable(),
  })
  .meta({ id: 'DatabaseFacts', description: 'Null where the login may not see it.' });

const processFacts = z
  .object({
    event_loop_delay_ms: milliseconds,
    heap_used_bytes: bytes,
    heap_limit_bytes: bytes,
    resident_bytes: bytes,
    memory_limit_bytes: bytes,
    open_files: count.nullable(),
    open_files_limit: count.nullable(),
    disks: z.array(z.object({ free_bytes: bytes, total_bytes: bytes })),
  })
  .meta({ id: 'ProcessFacts' });

const providerCall = z
  .object({
    provider: z.string(),
    target: z.string().meta({ description: '`provider/model`' }),
    answered: z.boolean(),
    error_code: z.string().nullable(),
    latency_ms: milliseconds,
    prompt_tokens: count.nullable(),
    completion_tokens: count.nullable(),
    cost_nano_usd: costNanoUsd,
    cost_usd: costUsd,
  })
  .meta({ id: 'ProviderCall', description: 'A real call, which is in the ledger as any other.' });

export const diagnosis = z
  .object({
    status: healthStatus.meta({ description: '`unhealthy` with a critical finding, `degraded` with a warning.' }),
    checked_at: timestamp,
    duration_ms: milliseconds,
    instance: z.object({ host: z.string(), pid: z.int() }).meta({ description: 'Who answers.' }),
    findings: z.array(finding).meta({ description: 'The worst first.' }),
    bottlenecks: z.array(z.string()).meta({ description: 'Codes of the findings that keep calls waiting.' }),
    database: databaseFacts.nullable().meta({ description: 'Null when it did not answer.' }),
    process: processFacts,
    providers: z.array(providerCall).nullable().meta({ description: 'Null unless they were to be called.' }),
  })
  .meta({
    id: 'Diagnosis',
    description: 'What was examined, and what is wrong with it.',
    examples: [
      {
        status: 'degraded',
        checked_at: '2026-11-20T09:33:28.114Z',
        duration_ms: 31.2,
        instance: { host: 'gateway-7d9f', pid: 1 },
        findings: [
          {
            code: 'database_locks',
            severity: 'warning',
            area: 'database',
            message: 'Statements wait for a lock that somebody holds.',
            evidence: { waiting: 3, longest_ms: 12_040 },
            remedy: 'Find the holder in pg_stat_activity, and end it.',
            bottleneck: true,
          },
        ],
        bottlenecks: ['database_locks'],
        database: null,
        process: {
          event_loop_delay_ms: 1.2,
          heap_used_bytes: 48_000_000,
          heap_limit_bytes: 4_345_298_944,
          resident_bytes: 161_000_000,
          memory_limit_bytes: 8_589_934_592,
          open_files: 61,
          open_files_limit: 1_048_576,
          disks: [{ free_bytes: 81_000_000_000, total_bytes: 107_000_000_000 }],
        },
        providers: null,
      },
    ],
  });

export const diagnosticsQuery = z.strictObject({
  call_providers: z.enum(['true', 'false']).optional().meta({
    description:
      '`true` makes one real call of up to 16 tokens to each provider, as the key that asks: it is paid for and recorded. The answer says what each cost.',
  }),
});

export type DiagnosisBody = z.infer<typeof diagnosis>;
export type FindingBody = z.infer<typeof finding>;
export type DiagnosticsQuery = z.infer<typeof diagnosticsQuery>;

import { z } from 'zod';
import { timestamp } from '../common/index.ts';

export const healthStatus = z.enum(['healthy', 'degraded', 'unhealthy']).meta({ id: 'HealthStatus' });

export const dependencyHealth = z
  .object({
    name: z.string().meta({ examples: ['database'] }),
    status: healthStatus,
    message: z.string().meta({ description: 'In plain words. Never a host, a path or the text of an exception.', examples: ['answers'] }),
    response_time_ms: z
      .number()
      .nonnegative()
      .nullable()
      .meta({ description: 'Of the last check that ended; null before it.', examples: [0.4] }),
  })
  .meta({ id: 'DependencyHealth' });

/** What every health route answers, with 200 or 503. */
export const healthReport = z
  .object({
    status: healthStatus,
    timestamp,
    dependencies: z.array(dependencyHealth),
  })
  .meta({
    id: 'HealthReport',
    description: 'Whether the server, or what it depends on, works.',
    examples: [
      {
        status: 'healthy',
        timestamp: '2026-11-20T09:33:28.114Z',
        dependencies: [{ name: 'database', status: 'healthy', message: 'answers', response_time_ms: 0.4 }],
      },
    ],
  });

const draftStatus = z.enum(['pass', 'warn', 'fail']).meta({ description: '`warn` still does its work, `fail` does not.' });

/** The same as draft-inadarei-api-health-check writes it, for those who accept `application/health+json`. */
export const healthJson = z
  .object({
    status: draftStatus,
    releaseId: z.string().optional().meta({ description: 'The version of Holdfast.' }),
    output: z.string().optional().meta({ description: 'What is wrong, when something is.' }),
    checks: z
      .record(
        z.string(),
        z.array(
          z.object({
            componentType: z.enum(['component', 'datastore', 'system']),
            status: draftStatus,
            observedValue: z.number().optional(),
            observedUnit: z.string().optional(),
            time: timestamp.optional(),
            output: z.string().optional(),
          }),
        ),
      )
      .optional()
      .meta({ description: 'By `<dependency>:<measurement>`.' }),
  })
  .meta({
    id: 'HealthJson',
    description: 'A health report in the form of draft-inadarei-api-health-check.',
    examples: [
      {
        status: 'pass',
        releaseId: '1.0.0',
        checks: {
          'database:responseTime': [
            { componentType: 'datastore', status: 'pass', observedValue: 0.4, observedUnit: 'ms', time: '2026-11-20T09:33:28.110Z' },
          ],
        },
      },
    ],
  });

export type HealthStatus = z.infer<typeof healthStatus>;
export type DependencyHealth = z.infer<typeof dependencyHealth>;
export type HealthReport = z.infer<typeof healthReport>;

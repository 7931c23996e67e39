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

export type HealthStatus = z.infer<typeof healthStatus>;
export type DependencyHealth = z.infer<typeof dependencyHealth>;
export type HealthReport = z.infer<typeof healthReport>;

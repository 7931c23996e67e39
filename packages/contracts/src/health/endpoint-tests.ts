import { z } from 'zod';
import { timestamp } from '../common/index.ts';

const endpointTest = z
  .object({
    name: z.string().meta({ description: 'What is guaranteed.', examples: ['GET /api/keys refuses a request without a key'] }),
    group: z.enum(['schema', 'authentication', 'isolation', 'cleanup']),
    outcome: z.enum(['passed', 'failed', 'skipped']),
    detail: z.string().nullable().meta({ description: 'What was found instead, or why it was skipped.' }),
  })
  .meta({ id: 'EndpointTest' });

/** What the server found when it called itself. */
export const endpointTestReport = z
  .object({
    passed: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    skipped: z.int().nonnegative(),
    started_at: timestamp,
    duration_ms: z.number().nonnegative(),
    leftovers_removed: z.int().nonnegative().meta({ description: 'Throw-away organizations of earlier runs that were killed.' }),
    tests: z.array(endpointTest),
  })
  .meta({
    id: 'EndpointTestReport',
    description: 'What the server found when it called its own routes.',
    examples: [
      {
        passed: 1,
        failed: 0,
        skipped: 1,
        started_at: '2026-11-20T09:33:28.114Z',
        duration_ms: 812.4,
        leftovers_removed: 0,
        tests: [
          { name: 'GET /api/keys refuses a request without a key', group: 'authentication', outcome: 'passed', detail: null },
          { name: 'POST /api/reload answers as described', group: 'schema', outcome: 'skipped', detail: 'it would change the server' },
        ],
      },
    ],
  });

export type EndpointTestReportBody = z.infer<typeof endpointTestReport>;

import { z } from 'zod';
import { timestamp } from './common/index.ts';

export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).meta({ id: 'LogLevel' });

export const logLevelState = z
  .object({
    level: logLevel.meta({ description: 'The least that is logged.' }),
    configured: logLevel.meta({ description: 'What the configuration says.' }),
    until: timestamp.nullable().meta({ description: 'When it goes back to that; null when it stays.' }),
  })
  .meta({ id: 'LogLevelState' });

export const setLogLevelRequest = z
  .strictObject({
    level: logLevel,
    for_seconds: z
      .int()
      .min(1)
      .max(604_800)
      .optional()
      .meta({ description: 'Then it goes back to what the configuration says.', examples: [600] }),
  })
  .meta({ id: 'SetLogLevelRequest' });

export type LogLevelStateBody = z.infer<typeof logLevelState>;
export type SetLogLevelRequest = z.infer<typeof setLogLevelRequest>;

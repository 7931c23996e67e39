import { z } from 'zod';
import { timestamp } from '../common/index.ts';

const names = z.array(z.string());

export const nameChanges = z
  .object({ added: names, removed: names, changed: names })
  .meta({ id: 'NameChanges', description: 'Names, in alphabetical order. Values are never shown.' });

export const configurationChanges = z
  .object({
    providers: nameChanges,
    models: nameChanges,
    prices: nameChanges.meta({ description: 'By kind of provider and model: `openai/gpt-4o-mini`.' }),
    rate_limits: nameChanges.meta({ description: 'Below `rateLimits`: `tiers.pro`, `levels.ip`, `shadow`.' }),
    alert_rules: nameChanges.meta({ description: 'Below `alerts.rules`, those of the package included.' }),
    alert_channels: nameChanges.meta({ description: 'Below `alerts.channels`, those of the environment included.' }),
    log: nameChanges.meta({ description: 'Below `log`: `level`.' }),
  })
  .meta({ id: 'ConfigurationChanges' });

export const instanceName = z
  .object({
    host: z.string().meta({ description: 'Name of the machine, container or pod.' }),
    pid: z.int().meta({ description: 'Id of the process there.' }),
  })
  .meta({ id: 'Instance', description: 'The process that answered: a reload is of one instance.' });

const digest = z.string().meta({
  description:
    'A mark of everything that can be reloaded, secrets included, keyed with the master key. Instances that share a master key and show the same digest serve the same.',
});

const restartRequired = z.array(z.string()).meta({
  description: 'Settings that were found changed, and that take effect with the next start only.',
});

const instanceExample = { host: 'holdfast-6c9f', pid: 1 };
const digestExample = '0f3ac1d2b4e5968778695a4b3c2d1e0f';
const noChanges = { added: [], removed: [], changed: [] };

export const reloadReport = z
  .object({
    result: z
      .enum(['applied', 'unchanged'])
      .meta({ description: '`unchanged`: nothing that can be reloaded differs from what is in force.' }),
    changes: configurationChanges,
    restart_required: restartRequired,
    digest,
    instance: instanceName,
    reloaded_at: timestamp,
  })
  .meta({
    id: 'ReloadReport',
    description: 'What a reload changed.',
    examples: [
      {
        result: 'applied',
        changes: {
          providers: { ...noChanges, added: ['backup'] },
          models: { ...noChanges, changed: ['fast'] },
          prices: noChanges,
          rate_limits: { ...noChanges, changed: ['tiers.pro'] },
          alert_rules: noChanges,
          alert_channels: noChanges,
          log: noChanges,
        },
        restart_required: ['server.port'],
        digest: digestExample,
        instance: instanceExample,
        reloaded_at: '2026-11-20T09:33:28.114Z',
      },
    ],
  });

export const configurationState = z
  .object({
    file: z.string().nullable().meta({ description: 'The configuration file; null when there is none.' }),
    digest,
    in_force_since: timestamp.meta({ description: 'When the last reload that changed something was applied, or the server started.' }),
    restart_required: restartRequired,
    instance: instanceName,
  })
  .meta({
    id: 'ConfigurationState',
    description: 'Which configuration an instance serves.',
    examples: [
      {
        file: 'holdfast.config.yaml',
        digest: digestExample,
        in_force_since: '2026-11-20T09:33:28.114Z',
        restart_required: [],
        instance: instanceExample,
      },
    ],
  });

/** The `details` of `configuration_rejected`. */
export const configurationFaults = z.object({
  faults: z.array(
    z.object({
      where: z.string(),
      setting: z.string().optional(),
      problem: z.string(),
      hint: z.string().optional(),
    }),
  ),
});

export type NameChangesBody = z.infer<typeof nameChanges>;
export type ConfigurationFaultsBody = z.infer<typeof configurationFaults>;
export type ReloadReportBody = z.infer<typeof reloadReport>;
export type ConfigurationStateBody = z.infer<typeof configurationState>;

import type { Command } from 'commander';
import { configurationEntries, printConfiguration } from '../../../config/index.ts';
import type { CommandContext } from '../context.ts';

export function addConfig(program: Command, context: CommandContext): void {
  const config = program.command('config').description('look at the configuration');

  config
    .command('print')
    .description('show what is in force and where each value came from; secrets are never shown')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: true }) => {
      const configuration = context.configuration();
      if (!json) return context.terminal.out(printConfiguration(configuration));
      const data = configurationEntries(configuration).map(({ path, value, secret, origin }) => ({
        path,
        value,
        secret,
        source: origin.source,
        origin: origin.text,
      }));
      context.terminal.out(`${JSON.stringify({ file: configuration.file ?? null, data }, undefined, 2)}\n`);
    });

  config
    .command('check')
    .description('check file and environment without starting anything; every fault is named')
    .action(() => {
      const { file, providers, models } = context.configuration();
      const counts = `${providers.length} ${providers.length === 1 ? 'provider' : 'providers'}, ${models.length} ${models.length === 1 ? 'model' : 'models'}`;
      context.terminal.out(`The configuration is valid (${file ?? 'no file'}; ${counts}).\n`);
    });
}

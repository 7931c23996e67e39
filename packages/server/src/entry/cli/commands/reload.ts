import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { reloadText } from '../reload-view.ts';

export function addReload(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  program
    .command('reload')
    .description(
      'have the running server read its configuration again, without a restart (HOLDFAST_API_KEY: an operator\u2019s key; HOLDFAST_BASE_URL: which server)',
    )
    .option('--json', 'as JSON, in the shape of POST /api/reload')
    .action(async ({ json }: { json?: true }) => {
      // Not loaded before it is needed: the server's file may not be here at all.
      const report = await dependencies.reload(() => context.configuration(), dependencies.environment());
      terminal.out(json ? `${JSON.stringify(report, undefined, 2)}\n` : reloadText(report));
    });
}

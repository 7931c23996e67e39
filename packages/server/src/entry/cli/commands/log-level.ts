import { setLogLevelRequest } from '@holdfast/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { parseDuration } from '../moments.ts';
import { parseRequest } from '../request.ts';
import { printable } from '../table.ts';

export function addLogLevel(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  program
    .command('log-level')
    .description('show the log level of the running server, or set it without a restart (HOLDFAST_API_KEY: an operator\u2019s key)')
    .argument('[level]', 'trace, debug, info, warn, error, fatal, silent')
    .option('--for <duration>', 'then back to what the configuration says, such as 10m', parseDuration)
    .option('--json', 'as JSON, in the shape of GET /api/log-level')
    .action(async (level: string | undefined, { for: forSeconds, json }: { for?: number; json?: true }) => {
      const server = await dependencies.logLevel(() => context.configuration(), dependencies.environment());
      const state =
        level === undefined ? await server.get() : await server.set(parseRequest(setLogLevelRequest, { level, for_seconds: forSeconds }));
      if (json) return terminal.out(`${JSON.stringify(state, undefined, 2)}\n`);
      const more = state.level === state.configured ? '' : ` (configured: ${state.configured})`;
      terminal.out(`${printable(state.level + more + (state.until === null ? '' : `, until ${state.until}`))}\n`);
    });
}

import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
}

export function addServe(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .description('start the server')
    .option('--host <address>', 'address to listen on (HOLDFAST_HOST)')
    .option('--port <number>', 'port to listen on, 0 for any free one (HOLDFAST_PORT)')
    .action(async ({ host, port }: ServeOptions) => {
      const server = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
      context.exitCode = await context.dependencies.serve(context.configurationSource({ server }));
    });
}

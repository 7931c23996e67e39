import {
  closeCircuitBreakerRequest,
  openCircuitBreakerRequest,
  type CircuitBreakerBody,
  type MovedCircuitBreakerBody,
} from '@holdfast/contracts';
import type { Command } from 'commander';
import { breakerTable } from '../breaker-view.ts';
import type { CommandContext } from '../context.ts';
import type { BreakerCommands } from '../dependencies.ts';
import { parseDuration } from '../moments.ts';
import { parseRequest } from '../request.ts';

export function addBreakers(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const server = (): Promise<BreakerCommands> => dependencies.breakers(context.configuration(), dependencies.environment());
  const breakers = program
    .command('breakers')
    .description('look at the circuit breakers of the running server, open and close them (HOLDFAST_API_KEY: an operator\u2019s key)');

  breakers
    .command('list')
    .description('list them, those that are not closed first')
    .option('--json', 'as JSON, in the shape of GET /health/circuit-breakers')
    .action(async ({ json }: { json?: true }) => {
      const list = await (await server()).list();
      if (json) return terminal.out(`${JSON.stringify(list, undefined, 2)}\n`);
      const rank = ({ state }: CircuitBreakerBody): number => (state === 'closed' ? 1 : 0);
      terminal.out(
        breakerTable(
          list.data.toSorted((a, b) => rank(a) - rank(b)),
          dependencies.clock.now(),
        ),
      );
      if (!list.shared) terminal.error('Of the instance that answered: it shares these states with no other at the moment.\n');
    });

  breakers
    .command('open')
    .description('keep calls away from a target, at every instance')
    .argument('<name>', 'as `breakers list` shows it: provider/model')
    .option('--for <duration>', 'until then, such as 10m (default: until it is closed)', parseDuration)
    .option('--json', 'as JSON')
    .action(async (name: string, { for: forSeconds, json }: { for?: number; json?: true }) => {
      const request = parseRequest(openCircuitBreakerRequest, { name, for_seconds: forSeconds });
      show(await (await server()).open(request), json);
    });

  breakers
    .command('close')
    .description('let calls pass again, at every instance')
    .argument('<name>', 'as `breakers list` shows it: provider/model')
    .option('--json', 'as JSON')
    .action(async (name: string, { json }: { json?: true }) => {
      show(await (await server()).close(parseRequest(closeCircuitBreakerRequest, { name })), json);
    });

  function show(moved: MovedCircuitBreakerBody, json: true | undefined): void {
    if (json) return terminal.out(`${JSON.stringify(moved, undefined, 2)}\n`);
    terminal.out(breakerTable([moved], dependencies.clock.now()));
    if (!moved.shared) terminal.error('Only the instance that answered knows: others hear of it through Redis, when there is one.\n');
  }
}

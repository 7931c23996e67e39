import { HoldfastError } from '@holdfast/kit/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { before, parseMoment, type Moment } from '../moments.ts';

/** The way from an address that somebody complains of to its lines; there is none back. */
export function addPseudonym(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  program
    .command('pseudonym')
    .description('tell what the log calls a client: addresses stand in it as pseudonyms that change at midnight UTC')
    .argument('<address>', 'an IPv4 or IPv6 address')
    .option('--at <moment>', 'on which day: a date, a time, or so long ago, such as 2d (default: now)', parseMoment)
    .action(async (address: string, { at }: { at?: Moment }) => {
      const nowMs = dependencies.clock.now();
      const unixMs = at === undefined ? nowMs : before(at, nowMs).getTime();
      const pseudonym = await dependencies.pseudonym(context.configuration(), address, unixMs);
      if (pseudonym === undefined)
        throw new HoldfastError('invalid_request', {
          detail: `${address} is no address`,
          details: [{ field: 'address', message: 'is no IP address' }],
        });
      terminal.out(`${pseudonym}\n`);
    });
}

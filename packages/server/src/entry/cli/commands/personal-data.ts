import { erasePersonalDataRequest, personalDataKind } from '@holdfast/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { parseRequest } from '../request.ts';

export function addPersonalData(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const personalData = program.command('personal-data').description('what events of the audit log refer to');

  personalData
    .command('erase')
    .description(
      'delete what references to a value stand for, in the audit log of the running server (HOLDFAST_API_KEY: an operator\u2019s key)',
    )
    .argument('<kind>', personalDataKind.options.join(', '))
    .argument('<value>', 'the whole value, as it was when the events were made')
    .option('--organization <id>', 'in whose events; without it in those of the instance itself')
    .option('--json', 'as JSON, in the shape of POST /api/personal-data/erase')
    .action(async (kind: string, value: string, { organization, json }: { organization?: string; json?: true }) => {
      const request = parseRequest(erasePersonalDataRequest, { organization_id: organization ?? null, kind, value });
      const erase = await dependencies.erasePersonalData(() => context.configuration(), dependencies.environment());
      const erased = await erase(request);
      if (json) return terminal.out(`${JSON.stringify(erased, undefined, 2)}\n`);
      const { references } = erased;
      terminal.out(`${references === 1 ? '1 reference means' : `${references} references mean`} nothing any more.\n`);
    });
}

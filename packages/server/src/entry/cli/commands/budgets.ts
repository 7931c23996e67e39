import { changeBudgetRequest, createBudgetRequest, formatUsd } from '@holdfast/contracts';
import type { Command } from 'commander';
import { toBudgetBody, type BudgetStanding } from '../../../features/costs/budgets/index.ts';
import { operatorAtTerminal } from '../../../platform/audit/index.ts';
import type { CommandContext } from '../context.ts';
import { parseLimit } from '../limit.ts';
import { parseRequest } from '../request.ts';
import { formatTable } from '../table.ts';

const pageSize = 100;

interface CreateOptions {
  readonly organization: string;
  readonly limit: string;
  readonly period: string;
  readonly key?: string;
  readonly user?: string;
  readonly soft?: true;
  readonly json?: true;
}
interface ChangeOptions {
  readonly limit?: string;
  readonly name?: string;
  readonly hard?: true;
  readonly soft?: true;
  readonly json?: true;
}

export function addBudgets(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const budgets = program.command('budgets').description('list, make, change and delete budgets');
  const show = (standings: readonly BudgetStanding[], json: true | undefined): void =>
    terminal.out(json ? `${JSON.stringify({ data: standings.map(toBudgetBody) }, undefined, 2)}\n` : table(standings));

  budgets
    .command('list')
    .description('list the budgets of all organizations and how they stand, newest first')
    .option('--limit <number>', 'at most so many', parseLimit, pageSize)
    .option('--json', 'as JSON')
    .action(async ({ limit, json }: { limit: number; json?: true }) => {
      const found: BudgetStanding[] = [];
      const more = await dependencies.budgets(context.configuration(), async ({ service }) => {
        for (;;) {
          const beforeId = found.at(-1)?.budget.id;
          const page = await service.list('instance', { limit: Math.min(pageSize, limit - found.length), beforeId });
          found.push(...page.standings);
          if (!page.more || found.length >= limit) return page.more;
        }
      });
      if (!json && found.length === 0) terminal.out('There are no budgets.\n');
      else show(found, json);
      if (more) terminal.error('There are more: raise --limit.\n');
    });

  budgets
    .command('create')
    .description('make a budget; in force on every instance within a second')
    .argument('<name>', 'what it is called')
    .requiredOption('--organization <organization>', 'its id or slug, as `organizations list` shows them')
    .requiredOption('--limit <dollars>', 'how much, in US dollars: 25.00')
    .requiredOption('--period <period>', 'day, month or total')
    .option('--key <id>', 'of this key alone, and of those that replace it')
    .option('--user <id>', 'of the keys of this person alone')
    .option('--soft', 'tell of it and refuse nothing')
    .option('--json', 'as JSON')
    .action(async (name: string, { organization, limit, period, key, user, soft, json }: CreateOptions) => {
      const request = parseRequest(createBudgetRequest, {
        name,
        subject: key === undefined ? (user === undefined ? 'organization' : 'user') : 'key',
        subject_id: key ?? user,
        period,
        limit_usd: limit,
        enforcement: soft ? 'soft' : 'hard',
      });
      const made = await dependencies.budgets(context.configuration(), async ({ service, organizations }) => {
        const { id } = await organizations.find(organization);
        return service.create({ ...request, organization_id: id }, operatorAtTerminal);
      });
      show([made], json);
    });

  budgets
    .command('change')
    .description('change the limit, the name or the enforcement of a budget')
    .argument('<id>', 'as `budgets list` shows it')
    .option('--limit <dollars>', 'how much from now on, in US dollars')
    .option('--name <name>', 'what it is called from now on')
    .option('--hard', 'refuse calls that may pass it')
    .option('--soft', 'tell of it and refuse nothing')
    .option('--json', 'as JSON')
    .action(async (id: string, { limit, name, hard, soft, json }: ChangeOptions) => {
      const request = parseRequest(changeBudgetRequest, {
        ...(limit !== undefined && { limit_usd: limit }),
        ...(name !== undefined && { name }),
        ...(hard ? { enforcement: 'hard' } : soft && { enforcement: 'soft' }),
      });
      const changed = await dependencies.budgets(context.configuration(), ({ service }) => service.change(id, request, operatorAtTerminal));
      show([changed], json);
    });

  budgets
    .command('delete')
    .description('delete a budget: it counts and refuses nothing from then on')
    .argument('<id>', 'as `budgets list` shows it')
    .action(async (id: string) => {
      await dependencies.budgets(context.configuration(), ({ service }) => service.remove(id, operatorAtTerminal));
      terminal.out('The budget is deleted.\n');
    });
}

const dollars = (nanoUsd: number): string => formatUsd(nanoUsd).replace(/(\.\d{2}\d*?)0+$/, '$1');

function table(standings: readonly BudgetStanding[]): string {
  return formatTable(
    ['ID', 'NAME', 'OF', 'PERIOD', 'LIMIT', 'SPENT', 'HELD', 'STATE'],
    standings.map(({ budget, spentNano, reservedNano, refusing }) => [
      budget.id,
      budget.name,
      `${budget.subject} ${budget.subjectIds[0]!}`,
      budget.period,
      `$${dollars(budget.limitNanoUsd)} ${budget.enforcement}`,
      `$${dollars(spentNano)}`,
      `$${dollars(reservedNano)}`,
      refusing && budget.enforcement === 'hard' ? 'refuses' : spentNano >= budget.limitNanoUsd ? 'spent' : 'open',
    ]),
  );
}

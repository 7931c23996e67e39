import { readFile, stat } from 'node:fs/promises';
import { costGroup, costQuery, maxPageSize, organizationParams, type CostPage } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { costTable, reconcileText, repriceText, withoutBigints } from '../cost-view.ts';
import type { CostCommands } from '../dependencies.ts';
import { parseLimit } from '../limit.ts';
import { before, parseMoment, type Moment } from '../moments.ts';
import { parseRequest } from '../request.ts';

interface SumOptions {
  readonly by: string;
  readonly since?: Moment;
  readonly until?: Moment;
  readonly organization?: string;
  readonly key?: string;
  readonly user?: string;
  readonly model?: string;
  readonly provider?: string;
  readonly feature?: string;
  readonly limit: number;
  readonly json?: true;
}

interface RepriceOptions {
  readonly since: Moment;
  readonly until?: Moment;
  readonly provider?: readonly string[];
  readonly apply?: true;
  readonly json?: true;
}

interface ReconcileOptions {
  readonly apply?: true;
  readonly json?: true;
}

/** More than any month of any provider; a file is read whole. */
const maxFileBytes = 256 * 1024 * 1024;

export function addCosts(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const { clock } = dependencies;
  const costs = program.command('costs').description('what calls cost, by the ledger; prices again; comparison with a provider');

  costs
    .command('show', { isDefault: true })
    .description('sum up costs, of all organizations')
    .option('--by <groups>', `up to four of ${costGroup.options.join(', ')}, separated by commas`, 'day')
    .option('--since <moment>', 'from the day of it on, in UTC: a date, a time, or a duration such as 30d (ago)', parseMoment)
    .option('--until <moment>', 'before the day of it', parseMoment)
    .option('--organization <id>', 'of one organization')
    .option('--key <id>', 'of one key')
    .option('--user <id>', 'of one person')
    .option('--model <name>', 'that asked for this model')
    .option('--provider <name>', 'that this provider served')
    .option('--feature <name>', 'of one feature')
    .option('--limit <number>', 'at most so many rows', parseLimit, 100)
    .option('--json', 'as JSON, in the shape of GET /api/costs')
    .action(async ({ by, since, until, organization, key, user, model, provider, feature, limit, json }: SumOptions) => {
      const day = (moment: Moment) => before(moment, clock.now()).toISOString().slice(0, 10);
      const first = {
        ...{ group_by: by, from: since && day(since), to: until && day(until), key_id: key, user_id: user, model, provider, feature },
        limit: Math.min(maxPageSize, limit),
      };
      const { group_by: groupBy } = parseRequest(costQuery, first);
      if (organization !== undefined) parseRequest(organizationParams, { id: organization });
      const page = await dependencies.costs(context.configuration(), (commands) => readAll(commands, first, organization, limit));
      if (json) return terminal.out(`${JSON.stringify(page, undefined, 2)}\n`);
      terminal.out(costTable(groupBy, page.data));
      if (page.next_cursor !== null) terminal.error('There are more: raise --limit.\n');
    });

  costs
    .command('reprice')
    .description('reckon calls again by the prices that are in force, each by that of its day; shows what would change')
    .requiredOption('--since <moment>', 'calls from then on: a date, a time, or a duration such as 30d (ago)', parseMoment)
    .option('--until <moment>', 'calls before then (default: now)', parseMoment)
    .option('--provider <name...>', 'of these providers of the configuration (default: all)')
    .option('--apply', 'write the corrections; rows keep what they said')
    .option('--json', 'as JSON')
    .action(async ({ since, until, provider, apply, json }: RepriceOptions) => {
      const now = clock.now();
      const selection = { from: before(since, now), to: until ? before(until, now) : new Date(now), providers: provider };
      const report = await dependencies.costs(context.configuration(), (commands) =>
        commands.reprice(selection, { apply: apply ?? false }),
      );
      terminal.out(json ? withoutBigints(report) : repriceText(report, apply ?? false));
    });

  costs
    .command('reconcile')
    .description('compare the ledger with a usage or cost export of OpenAI or Anthropic (CSV, or JSON of their administration APIs)')
    .argument('<file>')
    .option('--apply', 'write what interrupted calls turned out to have used; rows keep what they said')
    .option('--json', 'as JSON')
    .action(async (file: string, { apply, json }: ReconcileOptions) => {
      const text = await readExportFile(file);
      const report = await dependencies.costs(context.configuration(), (commands) => commands.reconcile(text, { apply: apply ?? false }));
      terminal.out(json ? withoutBigints(report) : reconcileText(report, apply ?? false));
    });
}

async function readAll(
  { sums }: CostCommands,
  first: Readonly<Record<string, unknown>>,
  organization: string | undefined,
  limit: number,
): Promise<CostPage> {
  const data: CostPage['data'] = [];
  let cursor: string | null = null;
  do {
    const size = Math.min(maxPageSize, limit - data.length);
    const page: CostPage = await sums(parseRequest(costQuery, { ...first, limit: size, ...(cursor !== null && { cursor }) }), organization);
    data.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null && data.length < limit);
  return { data, next_cursor: cursor };
}

async function readExportFile(file: string): Promise<string> {
  const fault = (message: string) => new HoldfastError('invalid_request', { details: [{ field: 'file', message }] });
  const facts = await stat(file).catch(() => {
    throw fault('it cannot be read');
  });
  if (!facts.isFile() || facts.size > maxFileBytes) throw fault(`it is no file, or larger than ${maxFileBytes / 1024 / 1024} MiB`);
  return readFile(file, 'utf8');
}

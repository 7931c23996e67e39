import { callOutcome, maxPageSize, usageQuery, type UsagePage, type UsageQuery } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { parseLimit } from '../limit.ts';
import { before, parseMoment, type Moment } from '../moments.ts';
import { usageTable } from '../usage-view.ts';

interface UsageOptions {
  readonly since?: Moment;
  readonly until?: Moment;
  readonly key?: string;
  readonly model?: string;
  readonly provider?: string;
  readonly outcome?: string;
  readonly request?: string;
  readonly limit: number;
  readonly json?: true;
}

export function addUsage(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  program
    .command('usage')
    .description('show the calls of the ledger, newest first')
    .option('--since <moment>', 'calls from then on: a date, a time, or a duration such as 24h (ago)', parseMoment)
    .option('--until <moment>', 'calls before then', parseMoment)
    .option('--key <id>', 'of one key')
    .option('--model <name>', 'that asked for this model')
    .option('--provider <name>', 'that this provider served')
    .option('--outcome <outcome>', callOutcome.options.join(', '))
    .option('--request <id>', 'of one request')
    .option('--limit <number>', 'at most so many', parseLimit, 20)
    .option('--json', 'as JSON, in the shape of GET /api/usage')
    .action(async ({ since, until, key, model, provider, outcome, request, limit, json }: UsageOptions) => {
      const now = dependencies.clock.now();
      const filters = {
        from: since && before(since, now).toISOString(),
        to: until && before(until, now).toISOString(),
        key_id: key,
        model,
        provider,
        outcome,
        request_id: request,
      };
      const first = parseQuery({ ...filters, limit: Math.min(maxPageSize, limit) });
      const { data, next_cursor } = await dependencies.usage(context.configuration(), (read) => readPages(read, first, limit));
      if (json) return terminal.out(`${JSON.stringify({ data, next_cursor }, undefined, 2)}\n`);
      terminal.out(usageTable(data));
      if (next_cursor !== null) terminal.error('There are more: raise --limit.\n');
    });
}

/** Filters as the API would check them, so that both refuse the same. */
function parseQuery(filters: Readonly<Record<string, unknown>>): UsageQuery {
  const parsed = usageQuery.safeParse(filters);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  throw new HoldfastError('invalid_request', { details });
}

async function readPages(read: (query: UsageQuery) => Promise<UsagePage>, first: UsageQuery, limit: number): Promise<UsagePage> {
  const data: UsagePage['data'] = [];
  let query: UsageQuery | undefined = first;
  let next_cursor: string | null = null;
  while (query !== undefined) {
    const page: UsagePage = await read(query);
    data.push(...page.data);
    ({ next_cursor } = page);
    const rest = limit - data.length;
    query =
      next_cursor === null || page.data.length === 0 || rest <= 0
        ? undefined
        : { ...first, limit: Math.min(maxPageSize, rest), cursor: next_cursor };
  }
  return { data, next_cursor };
}

import { callOutcome, maxPageSize, usageQuery, type UsagePage, type UsageQuery } from '@holdfast/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { parseLimit } from '../limit.ts';
import { before, parseMoment, type Moment } from '../moments.ts';
import type { UsageReader } from '../dependencies.ts';
import { parseRequest } from '../request.ts';
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
  readonly cursor?: string;
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
    .option('--cursor <text>', 'go on where --json said `next_cursor`')
    .option('--json', 'as JSON, in the shape of GET /api/usage')
    .action(async ({ since, until, key, model, provider, outcome, request, limit, cursor, json }: UsageOptions) => {
      const now = dependencies.clock.now();
      const filters = {
        from: since && before(since, now).toISOString(),
        to: until && before(until, now).toISOString(),
        key_id: key,
        model,
        provider,
        outcome,
        request_id: request,
        cursor,
      };
      const first = parseRequest(usageQuery, { ...filters, limit: Math.min(maxPageSize, limit) });
      const { data, next_cursor } = await dependencies.usage(context.configuration(), (read) => readPages(read, first, limit));
      if (json) return terminal.out(`${JSON.stringify({ data, next_cursor }, undefined, 2)}\n`);
      terminal.out(usageTable(data));
      if (next_cursor !== null) terminal.error('There are more: raise --limit.\n');
    });
}

async function readPages(read: UsageReader, first: UsageQuery, limit: number): Promise<UsagePage> {
  const data: UsagePage['data'] = [];
  let query: UsageQuery | undefined = first;
  let next_cursor: string | null = null;
  while (query !== undefined) {
    const page: UsagePage = await read(query);
    data.push(...page.data);
    ({ next_cursor } = page);
    const rest = limit - data.length;
    query = next_cursor === null || rest <= 0 ? undefined : { ...first, limit: Math.min(maxPageSize, rest), cursor: next_cursor };
  }
  return { data, next_cursor };
}

import { maxPageSize, requestLogQuery, type RequestLogPage, type RequestLogQuery } from '@holdfast/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import type { RequestLogReader } from '../dependencies.ts';
import { parseLimit } from '../limit.ts';
import { before, parseMoment, type Moment } from '../moments.ts';
import { parseRequest } from '../request.ts';
import { requestLogTable } from '../request-log-view.ts';

interface RequestLogOptions {
  readonly since?: Moment;
  readonly until?: Moment;
  readonly route?: string;
  readonly status?: string;
  readonly organization?: string;
  readonly key?: string;
  readonly request?: string;
  readonly slowerThan?: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly json?: true;
}

export function addRequestLog(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const print = (value: unknown): void => terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
  program
    .command('request-log')
    .description('show the requests that were answered, newest first; with an id, that one with what is kept of its content')
    .argument('[id]', 'of a row, as --json shows it')
    .option('--since <moment>', 'from then on: a date, a time, or a duration such as 1h (ago)', parseMoment)
    .option('--until <moment>', 'before then', parseMoment)
    .option('--route <pattern>', 'such as /v1/chat/completions')
    .option('--status <status>', 'such as 404, or 5xx')
    .option('--organization <id>', 'of one organization')
    .option('--key <id>', 'of one key')
    .option('--request <id>', 'with this request id')
    .option('--slower-than <ms>', 'that took at least so many milliseconds')
    .option('--limit <number>', 'at most so many', parseLimit, 20)
    .option('--cursor <text>', 'go on where --json said `next_cursor`')
    .option('--json', 'as JSON, in the shape of GET /api/request-log')
    .action(async (id: string | undefined, options: RequestLogOptions) => {
      const { since, until, limit, json } = options;
      const now = dependencies.clock.now();
      const configuration = context.configuration();
      if (id !== undefined) return print(await dependencies.requestLog(configuration, (log) => log.find(id)));
      const first = parseRequest(requestLogQuery, {
        from: since && before(since, now).toISOString(),
        to: until && before(until, now).toISOString(),
        route: options.route,
        status: options.status,
        organization_id: options.organization,
        key_id: options.key,
        request_id: options.request,
        min_latency_ms: options.slowerThan,
        cursor: options.cursor,
        limit: Math.min(maxPageSize, limit),
      });
      const { data, next_cursor } = await dependencies.requestLog(configuration, (log) => readPages(log, first, limit));
      if (json) return print({ data, next_cursor });
      terminal.out(requestLogTable(data));
      if (next_cursor !== null) terminal.error('There are more: raise --limit.\n');
    });
}

async function readPages(log: RequestLogReader, first: RequestLogQuery, limit: number): Promise<RequestLogPage> {
  const data: RequestLogPage['data'] = [];
  let query: RequestLogQuery | undefined = first;
  let next_cursor: string | null = null;
  while (query !== undefined) {
    const page: RequestLogPage = await log.list(query);
    data.push(...page.data);
    ({ next_cursor } = page);
    const rest = limit - data.length;
    query = next_cursor === null || rest <= 0 ? undefined : { ...first, limit: Math.min(maxPageSize, rest), cursor: next_cursor };
  }
  return { data, next_cursor };
}

import { maxPageSize, rateLimitsQuery, type RateLimitListBody } from '@holdfast/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { parseLimit } from '../limit.ts';
import { parseRequest } from '../request.ts';
import { formatTable } from '../table.ts';

interface LimitsOptions {
  readonly level?: string;
  readonly organization?: string;
  readonly address?: string;
  readonly limit: number;
  readonly self?: true;
  readonly json?: true;
}

export function addLimits(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  program
    .command('limits')
    .description('show how full the limits of the running server are, the fullest first (HOLDFAST_API_KEY: an operator’s key)')
    .option('--level <name>', 'only of this limit, such as ip-minute')
    .option('--organization <id>', 'those of an organization, full or not')
    .option('--address <ip>', 'those of an address, full or not')
    .option('--self', 'those of the key itself, which need not be an operator’s')
    .option('--limit <number>', `at most so many, up to ${maxPageSize}`, parseLimit, 20)
    .option('--json', 'as JSON, in the shape of GET /api/rate-limits')
    .action(async ({ level, organization, address, limit, self, json }: LimitsOptions) => {
      const query = parseRequest(rateLimitsQuery, { level, organization_id: organization, address, limit });
      const server = await dependencies.limits(context.configuration(), dependencies.environment());
      const list = await (self ? server.self() : server.list(query));
      terminal.out(json ? `${JSON.stringify(list, undefined, 2)}\n` : table(list.data));
    });
}

function table(buckets: RateLimitListBody['data']): string {
  if (buckets.length === 0) return 'No limit is half full.\n';
  return formatTable(
    ['LEVEL', 'SUBJECT', 'LEFT', 'OF', 'RESET'],
    buckets.map(({ level, subject, limit, remaining, reset_at }) => [
      level,
      subject,
      remaining === null ? '' : String(remaining),
      limit === null ? 'no limit' : String(limit),
      reset_at,
    ]),
    new Set(['LEFT', 'OF']),
  );
}

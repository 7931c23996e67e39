import { createBanRequest } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Ban } from '@holdfast/kit/security';
import type { Command } from 'commander';
import { toBanBody, type BanIds } from '../../../features/abuse/index.ts';
import type { CommandContext } from '../context.ts';
import { parseLimit } from '../limit.ts';
import { after, parseMoment, type Moment } from '../moments.ts';
import { parseRequest } from '../request.ts';
import { formatTable } from '../table.ts';

const pageSize = 100;

export function addBans(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const { clock } = dependencies;
  const bans = program.command('bans').description('list, add and lift bans of addresses');

  bans
    .command('list')
    .description('list the bans in force, newest first')
    .option('--limit <number>', 'at most so many', parseLimit, pageSize)
    .option('--json', 'as JSON')
    .action(async ({ limit, json }: { limit: number; json?: true }) => {
      const found: Ban[] = [];
      let bodies: object[] = [];
      const more = await dependencies.bans(context.configuration(), async (book, ids) => {
        let cursor: string | undefined;
        do {
          const page = book.list({ limit: Math.min(pageSize, limit - found.length), ...(cursor !== undefined && { cursor }) });
          found.push(...page.bans);
          cursor = page.nextCursor;
        } while (cursor !== undefined && found.length < limit);
        bodies = found.map((ban) => toBanBody(ban, ids));
        return cursor !== undefined;
      });
      if (json) terminal.out(`${JSON.stringify({ data: bodies }, undefined, 2)}\n`);
      else terminal.out(found.length === 0 ? 'Nobody is banned.\n' : table(found));
      if (more) terminal.error('There are more: raise --limit.\n');
    });

  bans
    .command('show')
    .description('tell whom a ban of the log is about, also when it has ended')
    .argument('<id>', 'the `ban_id` of a line of the log')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      const { was, ban, ids } = await dependencies.bans(context.configuration(), async (book, ids) => {
        const was = ids.read(id);
        return { was, ban: was && book.find(was.range), ids };
      });
      if (was === undefined)
        throw new HoldfastError('resource_not_found', { detail: 'no ban that was made with this master key has that id' });
      const since = `${was.range} was banned at ${minute(was.bannedAtMs)}`;
      if (ban === undefined)
        terminal.out(
          json
            ? `${JSON.stringify({ range: was.range, banned_at: new Date(was.bannedAtMs).toISOString(), in_force: false }, undefined, 2)}\n`
            : `${since}; it is not banned now.\n`,
        );
      else
        show(
          ban,
          ids,
          json,
          `${since}; it is banned now, ${ban.endsAtMs === null ? 'until the ban is lifted' : `until ${minute(ban.endsAtMs)}`}.`,
        );
    });

  bans
    .command('add')
    .description('refuse all requests from an address or range, on every instance within a second')
    .argument('<range>', 'an address or CIDR range: 203.0.113.7, 203.0.113.0/24, 2001:db8::/64')
    .option('--until <moment>', 'when it ends: a date, a time, or a duration such as 1h (default: when it is lifted)', parseMoment)
    .option('--note <text>', 'why, for whoever lists it')
    .option('--json', 'as JSON')
    .action(async (text: string, { until, note: why, json }: { until?: Moment; note?: string; json?: true }) => {
      const { range, ends_at, note } = parseRequest(createBanRequest, {
        range: text,
        ends_at: until && after(until, clock.now()).toISOString(),
        note: why,
      });
      const { ban, ids } = await dependencies.bans(context.configuration(), async (book, ids) => ({
        ban: await book.add({ range, endsAtMs: ends_at == null ? null : Date.parse(ends_at), note: note ?? null }),
        ids,
      }));
      show(
        ban,
        ids,
        json,
        `${ban.range} is banned ${ban.endsAtMs === null ? 'until the ban is lifted' : `until ${minute(ban.endsAtMs)}`}.`,
      );
    });

  bans
    .command('lift')
    .description('end a ban, on every instance within a second')
    .argument('<range>', 'the address or range, as `bans list` shows it')
    .option('--json', 'as JSON')
    .action(async (range: string, { json }: { json?: true }) => {
      const { ban, ids } = await dependencies.bans(context.configuration(), async (book, ids) => ({ ban: await book.lift(range), ids }));
      if (ban === undefined) {
        throw new HoldfastError('resource_not_found', { detail: `no ban of exactly ${range} is in force; see \`holdfast bans list\`` });
      }
      show(ban, ids, json, `The ban of ${ban.range} is lifted.`);
    });

  function show(ban: Ban, ids: BanIds, json: true | undefined, text: string): void {
    terminal.out(json ? `${JSON.stringify(toBanBody(ban, ids), undefined, 2)}\n` : `${text}\n`);
  }
}

function table(bans: readonly Ban[]): string {
  return formatTable(
    ['RANGE', 'REASON', 'SINCE', 'UNTIL', 'BEFORE', 'NOTE'],
    bans.map(({ range, reason, bannedAtMs, endsAtMs, repeats, note }) => [
      range,
      reason,
      minute(bannedAtMs),
      endsAtMs === null ? 'lifted' : minute(endsAtMs),
      String(repeats),
      note ?? '',
    ]),
  );
}

function minute(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

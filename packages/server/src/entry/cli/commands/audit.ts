import { open } from 'node:fs/promises';
import {
  auditEventsQuery,
  auditExportQuery,
  auditOutcome,
  auditReportName,
  auditReportQuery,
  maxPageSize,
  type AuditReportName,
} from '@holdfast/contracts';
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { auditKeysText, auditTable, publicationsText, reportText } from '../audit-view.ts';
import type { CommandContext } from '../context.ts';
import type { AuditCommands } from '../dependencies.ts';
import { parseLimit } from '../limit.ts';
import { before, parseMoment, type Moment } from '../moments.ts';
import { parseRequest } from '../request.ts';
import { addAuditVerify } from './audit-verify.ts';

interface Json {
  readonly json?: true;
}
interface Period {
  readonly since?: Moment;
  readonly until?: Moment;
}

/** For scripts: it was done, and what came of it is bad. 1 is for a command that could not do it. */
const bad = 2;
const progressEveryMs = 2_000;

export function addAudit(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const { clock } = dependencies;
  const log = <Result>(work: (audit: AuditCommands) => Promise<Result>): Promise<Result> =>
    dependencies.audit(context.configuration(), work);
  const json = (body: unknown): void => terminal.out(`${JSON.stringify(body, undefined, 2)}\n`);
  const period = ({ since, until }: Period) => ({
    from: since && before(since, clock.now()).toISOString(),
    to: until && before(until, clock.now()).toISOString(),
  });
  const audit = program.command('audit').description('read, prove, export and verify the audit log');

  audit
    .command('list')
    .description('show what happened, the last in the log first')
    .option('--since <moment>', 'from then on: a date, a time, or a duration such as 24h (ago)', parseMoment)
    .option('--until <moment>', 'before then', parseMoment)
    .option('--type <type>', 'of one type, or of several: key.*')
    .option('--outcome <outcome>', auditOutcome.options.join(', '))
    .option('--organization <id>', 'of one organization, or `instance`')
    .option('--actor <id>', 'done by this key')
    .option('--user <id>', 'done by this person')
    .option('--resource <type/id>', 'done to this: key/019a9c5a-…', parseResource)
    .option('--request <id>', 'of one request')
    .option('--personal', 'tell what references stand for: addresses, user agents, names')
    .option('--limit <number>', `at most so many, up to ${maxPageSize}`, parseLimit, 20)
    .option('--cursor <text>', 'go on where --json said `next_cursor`')
    .option('--json', 'as JSON, in the shape of GET /api/audit/events')
    .action(async (given: Period & Json & Record<string, unknown> & { readonly resource?: Resource }) => {
      const query = parseRequest(auditEventsQuery, {
        ...period(given),
        type: given['type'],
        outcome: given['outcome'],
        organization_id: given['organization'],
        actor_id: given['actor'],
        user_id: given['user'],
        resource_type: given.resource?.type,
        resource_id: given.resource?.id,
        request_id: given['request'],
        personal: given['personal'] && 'true',
        limit: given['limit'],
        cursor: given['cursor'],
      });
      const page = await log((commands) => commands.list(query));
      if (given.json) return json(page);
      terminal.out(auditTable(page.data));
      if (page.next_cursor !== null) terminal.error('There are more: raise --limit, or narrow the search.\n');
    });

  audit
    .command('prove')
    .description('write a proof that an event is in the log: a tlog-proof file, to be verified with the public key alone')
    .argument('<id>', 'id of the event, as `audit list --json` shows it')
    .action(async (id: string) => terminal.out(await log((commands) => commands.prove(id.toLowerCase()))));

  audit
    .command('export')
    .description('write events to a file that verifies by itself (jsonl), or for spreadsheets (csv)')
    .addOption(new Option('--format <format>', 'jsonl or csv').choices(['jsonl', 'csv']).default('jsonl'))
    .option('--organization <id>', 'of one organization, or `instance` (default: the whole log)')
    .option('--since <moment>', 'begin with the first event from then on', parseMoment)
    .option('--until <moment>', 'end with the first checkpoint that was signed then or later', parseMoment)
    .option('--first-number <number>', 'begin with this number of the organization', parseLimitless)
    .option('--stop <size...>', 'sizes of checkpoints that you kept and want to compare')
    .option('--personal', 'tell what references stand for; such a file cannot be shredded')
    .option('--output <file>', 'where to (default: standard output)')
    .action(async (given: Period & Record<string, unknown> & { readonly stop?: readonly string[]; readonly output?: string }) => {
      const query = parseRequest(auditExportQuery, {
        ...period(given),
        format: given['format'],
        organization_id: given['organization'],
        first_number: given['firstNumber'],
        stop: given.stop?.join(','),
        personal: given['personal'] && 'true',
      });
      const written = await log(async (commands) => {
        const { events, checkpoint, text } = await commands.export(query);
        // Not over a file that is there: it may be the one that was kept.
        const file = given.output === undefined ? undefined : await open(given.output, 'wx', 0o600);
        let done = 0;
        let toldAt = clock.monotonic();
        try {
          for await (const part of text) {
            if (file) await file.write(part);
            else {
              terminal.out(part);
              await terminal.drained?.();
            }
            done += eventsIn(part, query.format);
            if (clock.monotonic() - toldAt < progressEveryMs) continue;
            toldAt = clock.monotonic();
            terminal.error(`${done} of ${events} events\n`);
          }
          await file?.sync();
        } finally {
          await file?.close();
        }
        return { done, size: checkpoint.size };
      });
      terminal.error(`${written.done} events, up to the checkpoint of ${written.size}.\n`);
    });

  const checkpoint = audit.command('checkpoint').description('show and publish checkpoints: signed sizes and roots of the log');
  checkpoint
    .command('show', { isDefault: true })
    .description('write the last checkpoint')
    .action(async () => terminal.out(await log((commands) => commands.checkpoint())));
  checkpoint
    .command('publish')
    .description('put the last checkpoint wherever the configuration says, now; ends with 2 when one place did not take it')
    .option('--folder <path>', 'put it into this folder instead')
    .option('--json', 'as JSON')
    .action(async ({ folder, json: asJson }: { readonly folder?: string } & Json) => {
      const published = await log((commands) => commands.publish(folder));
      if (asJson) json({ data: published });
      else terminal.out(publicationsText(published));
      if (published.some(({ result }) => result === 'failed')) context.exitCode = bad;
    });

  audit
    .command('keys')
    .description('show the public keys of the log: keep them where nobody can change them unseen')
    .option('--json', 'as JSON, in the shape of GET /api/audit/keys')
    .action(async ({ json: asJson }: Json) => {
      const keys = await log((commands) => commands.keys());
      if (asJson) return json(keys);
      // The keys alone, so that `holdfast audit keys > keys.txt` works for verify.
      terminal.out(auditKeysText(keys));
    });

  audit
    .command('rotate-key')
    .description('replace the keys that sign checkpoints; what the old ones signed stays valid. Writes the new public keys')
    .option('--json', 'as JSON, with the checkpoint that old and new keys signed')
    .action(async ({ json: asJson }: Json) => {
      const rotated = await log((commands) => commands.rotateKeys());
      if (asJson) return json(rotated);
      terminal.out(`${rotated.added.join('\n')}\n`);
      terminal.error(
        'Give these keys to whoever verifies, beside the old ones: the checkpoint at this moment is signed by both, and the log has an event that names them.\n',
      );
    });

  audit
    .command('report')
    .description('make a report: who may do what, what was refused and attacked, where personal data went')
    .addArgument(new Argument('<name>', 'of the report').choices(auditReportName.options))
    .option('--since <moment>', 'from then on (default: 90d)', parseMoment)
    .option('--until <moment>', 'before then', parseMoment)
    .option('--organization <id>', 'of one organization, or `instance` (default: of all)')
    .option('--html', 'as a page to print')
    .option('--json', 'as JSON, in the shape of GET /api/audit/reports/{name}')
    .action(async (name: AuditReportName, given: Period & Json & { readonly organization?: string; readonly html?: true }) => {
      const query = parseRequest(auditReportQuery, { ...period(given), organization_id: given.organization });
      const { body, page } = await log((commands) => commands.report(name, query));
      if (given.html) terminal.out(page);
      else if (given.json) json(body);
      else terminal.out(reportText(body));
    });

  addAuditVerify(audit, context);
}

interface Resource {
  readonly type: string;
  readonly id: string;
}

function parseResource(text: string): Resource {
  const split = text.indexOf('/');
  if (split < 1 || split === text.length - 1) throw new InvalidArgumentError('Give a type and an id with a slash between: key/019a9c5a-….');
  return { type: text.slice(0, split), id: text.slice(split + 1) };
}

function parseLimitless(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of 1 or more.');
}

function eventsIn(part: string, format: 'jsonl' | 'csv'): number {
  const lines = part.split('\n').slice(0, -1);
  return format === 'csv'
    ? lines.length - (part.startsWith('index,') ? 1 : 0)
    : lines.filter((line) => !line.startsWith('{"audit":')).length;
}

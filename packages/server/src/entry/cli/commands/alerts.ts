import {
  createAlertSilenceRequest,
  listAlertDeliveriesQuery,
  listAlertsQuery,
  maxPageSize,
  type AlertBody,
  type AlertSilenceBody,
  type AlertTestResultsBody,
} from '@holdfast/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import type { CommandContext } from '../context.ts';
import type { AlertCommands } from '../dependencies.ts';
import { parseLimit } from '../limit.ts';
import { after, parseMoment, type Moment } from '../moments.ts';
import { parseRequest } from '../request.ts';
import { formatTable } from '../table.ts';

interface Json {
  readonly json?: true;
}

export function addAlerts(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const server = (): Promise<AlertCommands> => dependencies.alerts(context.configuration(), dependencies.environment());
  const show = ({ json }: Json, body: unknown, text: () => string): void =>
    terminal.out(json ? `${JSON.stringify(body, undefined, 2)}\n` : text());
  const alerts = program
    .command('alerts')
    .description('see what is wrong, tend it, and test who is told (HOLDFAST_API_KEY: an operator’s key)');

  alerts
    .command('list')
    .description('list the alerts of the running server, newest first')
    .option('--status <status>', 'pending, firing or resolved')
    .option('--rule <name>', 'only of this rule')
    .option('--severity <severity>', 'info, warning or critical')
    .option('--limit <number>', `at most so many, up to ${maxPageSize}`, parseLimit, 50)
    .option('--json', 'as JSON, in the shape of GET /api/alerts')
    .action(async ({ json, ...given }: { status?: string; rule?: string; severity?: string; limit: number } & Json) => {
      const page = await (await server()).list(parseRequest(listAlertsQuery, given));
      show({ ...(json && { json }) }, page, () => (page.data.length === 0 ? 'There are no alerts.\n' : alertTable(page.data)));
      if (page.next_cursor !== null) terminal.error('There are more: raise --limit.\n');
    });

  alerts
    .command('rules')
    .description('list the rules, and the channels that are told')
    .option('--json', 'as JSON, in the shape of GET /api/alerts/rules')
    .action(async (options: Json) => {
      const rules = await (await server()).rules();
      show(options, rules, () =>
        formatTable(
          ['RULE', 'METRIC', 'BAD', 'THRESHOLD', 'FOR', 'SEVERITY'],
          rules.data.map(({ name, metric, bad, threshold, for_ms, severity }) => [
            name,
            metric,
            bad,
            String(threshold),
            `${for_ms / 1_000} s`,
            severity,
          ]),
          new Set(['THRESHOLD', 'FOR']),
        ),
      );
      if (!rules.enabled) terminal.error('Alerts are switched off: there is no channel, or alerts.enabled is false.\n');
    });

  alerts
    .command('deliveries')
    .description('list what was told through which channel, newest first')
    .option('--status <status>', 'pending, delivered or failed')
    .option('--channel <name>', 'only of this channel')
    .option('--limit <number>', `at most so many, up to ${maxPageSize}`, parseLimit, 50)
    .option('--json', 'as JSON, in the shape of GET /api/alerts/deliveries')
    .action(async ({ json, ...given }: { status?: string; channel?: string; limit: number } & Json) => {
      const page = await (await server()).deliveries(parseRequest(listAlertDeliveriesQuery, given));
      show({ ...(json && { json }) }, page, () =>
        page.data.length === 0
          ? 'Nothing was told.\n'
          : formatTable(
              ['AT', 'CHANNEL', 'KIND', 'RULE', 'STATUS', 'TRIES', 'ERROR'],
              page.data.map((each) => [
                each.created_at,
                each.channel,
                each.kind,
                each.rule,
                each.status,
                String(each.attempts),
                each.last_error ?? '',
              ]),
              new Set(['TRIES']),
            ),
      );
    });

  alerts
    .command('acknowledge')
    .description('say that you have taken an alert up: it is not told again while it lasts')
    .argument('<id>', 'of the alert')
    .option('--note <text>', 'who, and how')
    .option('--json', 'as JSON')
    .action(async (id: string, { note, ...options }: { note?: string } & Json) => {
      const alert = await (await server()).acknowledge(id, note === undefined ? {} : { note });
      show(options, alert, () => alertTable([alert]));
    });

  alerts
    .command('silences')
    .description('list the silences that are in force or to come')
    .option('--limit <number>', `at most so many, up to ${maxPageSize}`, parseLimit, 50)
    .option('--json', 'as JSON, in the shape of GET /api/alerts/silences')
    .action(async ({ limit, ...options }: { limit: number } & Json) => {
      const page = await (await server()).silences(limit);
      show(options, page, () => (page.data.length === 0 ? 'Nothing is silenced.\n' : silenceTable(page.data)));
    });

  alerts
    .command('silence')
    .description('keep alerts from being told for a while')
    .argument('<matcher...>', 'label=value, such as rule=disk severity=warning model=gpt*; all of them have to fit', collectMatcher)
    .requiredOption('--until <moment>', 'when it ends: a time, or a duration such as 2h', parseMoment)
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'as JSON')
    .action(async (matchers: Matcher[], { until, reason, ...options }: { until: Moment; reason: string } & Json) => {
      const ends_at = after(until, dependencies.clock.now()).toISOString();
      const silence = await (await server()).silence(parseRequest(createAlertSilenceRequest, { matchers, ends_at, reason }));
      show(options, silence, () => silenceTable([silence]));
    });

  alerts
    .command('unsilence')
    .description('end a silence')
    .argument('<id>', 'of the silence')
    .option('--json', 'as JSON')
    .action(async (id: string, options: Json) => {
      const silence = await (await server()).endSilence(id);
      show(options, silence, () => silenceTable([silence]));
    });

  alerts
    .command('test')
    .description('send a test, marked as one, through the channels of the configuration, and say how it went; needs no running server')
    .option('--channel <name>', 'only through this one')
    .option('--json', 'as JSON, in the shape of POST /api/alerts/test')
    .action(async ({ channel, ...options }: { channel?: string } & Json) => {
      const results = await dependencies.testAlerts(context.configuration(), channel);
      show(options, results, () => testTable(results));
      if (results.data.length === 0 || results.data.some(({ delivered }) => !delivered)) context.exitCode = 1;
    });
}

interface Matcher {
  readonly label: string;
  readonly value: string;
}

function collectMatcher(text: string, before: readonly Matcher[] = []): Matcher[] {
  const match = /^(\w+)=(.+)$/.exec(text);
  if (!match) throw new InvalidArgumentError('Give a label and its value, such as rule=disk.');
  return [...before, { label: match[1]!, value: match[2]! }];
}

function alertTable(alerts: readonly AlertBody[]): string {
  return formatTable(
    ['ID', 'STATUS', 'SEVERITY', 'RULE', 'SINCE', 'VALUE', 'THRESHOLD', 'LABELS', 'ACKNOWLEDGED'],
    alerts.map((alert) => [
      alert.id,
      alert.status,
      alert.severity,
      alert.rule,
      alert.since,
      String(Number(alert.value.toPrecision(4))),
      `${alert.bad} ${alert.threshold}`,
      labelsText(alert.labels),
      alert.acknowledged_at === null ? '' : (alert.acknowledgement_note ?? alert.acknowledged_at),
    ]),
    new Set(['VALUE']),
  );
}

function silenceTable(silences: readonly AlertSilenceBody[]): string {
  return formatTable(
    ['ID', 'MATCHERS', 'FROM', 'UNTIL', 'REASON'],
    silences.map(({ id, matchers, starts_at, ends_at, reason }) => [
      id,
      matchers.map(({ label, value }) => `${label}=${value}`).join(' '),
      starts_at,
      ends_at,
      reason,
    ]),
  );
}

function testTable({ data }: AlertTestResultsBody): string {
  if (data.length === 0) return 'There is no channel: set HOLDFAST_ALERTS_SLACK_URL, or see docs/guides/alerts.md.\n';
  return formatTable(
    ['CHANNEL', 'KIND', 'RESULT'],
    data.map(({ channel, kind, delivered, error, detail }) => [channel, kind, delivered ? 'delivered' : `${error}: ${detail}`]),
  );
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

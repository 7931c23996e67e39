import { Option, type Command } from 'commander';
import type { CommandContext } from '../context.ts';
import type { HealthCommands } from '../dependencies.ts';
import { diagnosisText, endpointTestText, healthText } from '../health-view.ts';

/** For scripts: the server was asked, and what it said is bad. 1 is for a command that could not ask. */
const unwell = 2;

const anOperatorsKey = '(HOLDFAST_API_KEY: an operator\u2019s key; HOLDFAST_BASE_URL: which server)';

export function addHealth(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  // Not loaded before it is needed: the server's file may not be here at all.
  const server = (): Promise<HealthCommands> => dependencies.health(() => context.configuration(), dependencies.environment());
  const show = (json: true | undefined, body: unknown, text: () => string): void =>
    terminal.out(json ? `${JSON.stringify(body, undefined, 2)}\n` : text());

  program
    .command('health')
    .description(`ask the running server how it and everything that it uses fares; ends with 2 when it is unhealthy ${anOperatorsKey}`)
    .option('--json', 'as JSON, in the shape of GET /api/health/detailed')
    .option('--strict', 'end with 2 when it is degraded, too')
    .action(async ({ json, strict }: { json?: true; strict?: true }) => {
      const report = await (await server()).detailed();
      show(json, report, () => healthText(report));
      if (report.status === 'unhealthy' || (strict && report.status !== 'healthy')) context.exitCode = unwell;
    });

  program
    .command('diagnose')
    .description(
      `have the running server examine its configuration, its database and itself; ends with 2 when something is critical ${anOperatorsKey}`,
    )
    .option('--json', 'as JSON, in the shape of GET /api/health/diagnostics')
    .option('--call-providers', 'make one real call to each provider, which is paid for and recorded')
    .addOption(
      new Option('--fail-on <severity>', 'end with 2 from this severity on').choices(['critical', 'warning', 'info']).default('critical'),
    )
    .action(async ({ json, callProviders, failOn }: { json?: true; callProviders?: true; failOn: 'critical' | 'warning' | 'info' }) => {
      const diagnosis = await (await server()).diagnose(callProviders === true);
      show(json, diagnosis, () => diagnosisText(diagnosis));
      const severities = ['critical', 'warning', 'info'];
      const bad = severities.slice(0, severities.indexOf(failOn) + 1);
      if (diagnosis.findings.some(({ severity }) => bad.includes(severity))) context.exitCode = unwell;
    });

  program
    .command('test-endpoints')
    .description(
      `have the running server call its own routes: answers, refusals, isolation of organizations; ends with 2 when one fails ${anOperatorsKey}`,
    )
    .option('--json', 'as JSON, in the shape of POST /api/health/test-endpoints')
    .action(async ({ json }: { json?: true }) => {
      const report = await (await server()).testEndpoints();
      show(json, report, () => endpointTestText(report));
      if (report.failed > 0) context.exitCode = unwell;
    });
}

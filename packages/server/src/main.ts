import process from 'node:process';
import { systemClock } from '@holdfast/kit/time';
import { readEnvironment, readRuntimeDir } from './config/index.ts';
import { runCli } from './entry/cli/index.ts';
import { version } from './version.ts';

const runtimeDir = readRuntimeDir();

// Loaded when a command needs them: the server is more than a thousand modules, half a second of processor time, of which `--help`
// or a configuration with a fault needs none and the other commands a part.
const server = () => import('./serve.ts');
const commands = () => import('./composition/commands/index.ts');

// Set rather than exit at once: what is still to be written to the terminal or the log is written.
process.exitCode = await runCli(process.argv.slice(2), {
  version,
  cwd: process.cwd(),
  clock: systemClock,
  environment: () => readEnvironment(process.cwd()),
  serve: async (source) => (await server()).serve(source, runtimeDir),
  keys: async (configuration, work) => (await commands()).keyCommands(runtimeDir)(configuration, work),
  organizations: async (configuration, work) => (await commands()).organizationCommands(runtimeDir)(configuration, work),
  budgets: async (configuration, work) => (await commands()).budgetCommands(runtimeDir)(configuration, work),
  usage: async (configuration, work) => (await commands()).usageCommand(runtimeDir)(configuration, work),
  audit: async (configuration, work) => (await commands()).auditCommands(runtimeDir)(configuration, work),
  costs: async (configuration, work) => (await commands()).costCommands(runtimeDir)(configuration, work),
  bans: async (configuration, work) => (await commands()).banCommands(runtimeDir)(configuration, work),
  pseudonym: async (...given) => (await commands()).pseudonymCommand(runtimeDir)(...given),
  breakers: async (...given) => (await commands()).breakerCommands(...given),
  limits: async (...given) => (await commands()).limitCommands(...given),
  alerts: async (...given) => (await commands()).alertCommands(...given),
  testAlerts: async (...given) => (await commands()).testAlertsCommand(...given),
  health: async (...given) => (await commands()).healthCommands(...given),
  reload: async (...given) => (await commands()).reloadCommand(...given),
  logLevel: async (...given) => (await commands()).logLevelCommand(...given),
  erasePersonalData: async (...given) => (await commands()).erasePersonalDataCommand(...given),
  requestLog: async (configuration, work) => (await commands()).requestLogCommand(runtimeDir)(configuration, work),
});

import process from 'node:process';
import { systemClock } from '@holdfast/kit/time';
import {
  banCommands,
  breakerCommands,
  keyCommands,
  limitCommands,
  organizationCommands,
  pseudonymCommand,
  reloadCommand,
  usageCommand,
} from './composition/index.ts';
import { readEnvironment, readRuntimeDir } from './config/index.ts';
import { runCli } from './entry/cli/index.ts';
import { serve } from './serve.ts';
import { version } from './version.ts';

const runtimeDir = readRuntimeDir();

// Set rather than exit at once: what is still to be written to the terminal or the log is written.
process.exitCode = await runCli(process.argv.slice(2), {
  version,
  cwd: process.cwd(),
  clock: systemClock,
  environment: () => readEnvironment(process.cwd()),
  serve: (source) => serve(source, runtimeDir),
  keys: keyCommands(runtimeDir),
  organizations: organizationCommands(runtimeDir),
  usage: usageCommand(runtimeDir),
  bans: banCommands(runtimeDir),
  pseudonym: pseudonymCommand(runtimeDir),
  breakers: breakerCommands,
  limits: limitCommands,
  reload: reloadCommand,
});

import { Command, CommanderError } from 'commander';
import {
  addAlerts,
  addAudit,
  addBans,
  addBreakers,
  addBudgets,
  addConfig,
  addCosts,
  addHealth,
  addKeys,
  addLimits,
  addLogLevel,
  addOrganizations,
  addPersonalData,
  addPseudonym,
  addReload,
  addRequestLog,
  addServe,
  addUsage,
} from './commands/index.ts';
import { createContext } from './context.ts';
import type { CliDependencies } from './dependencies.ts';
import { failureText } from './failure.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/**
 * Runs the `holdfast` command and resolves with the exit code, never rejects: 0, or 1 after a failure that was shown on
 * standard error. `argv` is without the two words of the process.
 */
export async function runCli(
  argv: readonly string[],
  dependencies: CliDependencies,
  terminal: Terminal = processTerminal,
): Promise<number> {
  const program = new Command('holdfast');
  const context = createContext(dependencies, terminal, () => program.opts<{ config?: string }>().config);
  // Before the commands are added: they inherit it.
  program
    .description('The production layer for AI backends.')
    .version(dependencies.version, '-v, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .option('-c, --config <file>', 'configuration file (HOLDFAST_CONFIG; default: holdfast.config.yaml)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.error(text) })
    .showSuggestionAfterError()
    .showHelpAfterError('(`holdfast --help` lists what there is)');
  addServe(program, context);
  addKeys(program, context);
  addOrganizations(program, context);
  addUsage(program, context);
  addAudit(program, context);
  addBudgets(program, context);
  addCosts(program, context);
  addRequestLog(program, context);
  addBans(program, context);
  addPseudonym(program, context);
  addPersonalData(program, context);
  addBreakers(program, context);
  addAlerts(program, context);
  addLimits(program, context);
  addReload(program, context);
  addHealth(program, context);
  addLogLevel(program, context);
  addConfig(program, context);

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return context.exitCode;
  } catch (thrown) {
    // The parser has shown its own message already, or the help that was asked for.
    if (thrown instanceof CommanderError) return thrown.exitCode;
    terminal.error(failureText(thrown));
    return 1;
  }
}

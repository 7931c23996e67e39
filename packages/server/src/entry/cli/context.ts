import { openConfigurationSource, type Configuration, type ConfigurationSource, type Overrides } from '../../config/index.ts';
import type { CliDependencies } from './dependencies.ts';
import type { Terminal } from './terminal.ts';

/** What a command has at hand. */
export interface CommandContext {
  readonly dependencies: CliDependencies;
  readonly terminal: Terminal;
  /** Loads the configuration, with `--config` above HOLDFAST_CONFIG. */
  configuration(): Configuration;
  /** The same for whoever has to read it again later, with what the command line says above all else. */
  configurationSource(overrides: Overrides): ConfigurationSource;
  /** The code that the process ends with; 0 unless a command says otherwise. */
  exitCode: number;
}

export function createContext(dependencies: CliDependencies, terminal: Terminal, configFile: () => string | undefined): CommandContext {
  function configurationSource(overrides: Overrides): ConfigurationSource {
    const file = configFile();
    const env = dependencies.environment();
    return openConfigurationSource({
      env: file === undefined ? env : { ...env, HOLDFAST_CONFIG: file },
      cwd: dependencies.cwd,
      overrides,
    });
  }

  return {
    dependencies,
    terminal,
    exitCode: 0,
    configuration: () => configurationSource({}).atStart,
    configurationSource,
  };
}

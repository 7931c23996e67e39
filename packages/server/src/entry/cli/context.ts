import { loadConfiguration, type Configuration, type Overrides } from '../../config/index.ts';
import type { CliDependencies } from './dependencies.ts';
import type { Terminal } from './terminal.ts';

/** What a command has at hand. */
export interface CommandContext {
  readonly dependencies: CliDependencies;
  readonly terminal: Terminal;
  /** Loads the configuration, with `--config` above HOLDFAST_CONFIG. */
  configuration(overrides?: Overrides): Configuration;
  /** The code that the process ends with; 0 unless a command says otherwise. */
  exitCode: number;
}

export function createContext(dependencies: CliDependencies, terminal: Terminal, configFile: () => string | undefined): CommandContext {
  return {
    dependencies,
    terminal,
    exitCode: 0,
    configuration(overrides) {
      const file = configFile();
      const env = dependencies.environment();
      return loadConfiguration({
        env: file === undefined ? env : { ...env, HOLDFAST_CONFIG: file },
        cwd: dependencies.cwd,
        ...(overrides === undefined ? {} : { overrides }),
      });
    },
  };
}

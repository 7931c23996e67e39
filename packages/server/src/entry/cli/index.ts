export type { CliDependencies } from './dependencies.ts';
export { runCli } from './program.ts';
export { processTerminal, type Terminal } from './terminal.ts';
export { printWelcome, type WelcomeOptions } from './welcome.ts';

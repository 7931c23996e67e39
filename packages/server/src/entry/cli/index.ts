export type { CliDependencies } from './dependencies.ts';
export { runCli } from './program.ts';
export type { Terminal } from './terminal.ts';
export { printWelcome, type WelcomeOptions } from './welcome.ts';

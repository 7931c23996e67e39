import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that is not from npm and that some tests need. */
export interface Program {
  readonly name: string;
  /** What is not tested without it. */
  readonly usedFor: string;
  /** Debian's package, for whoever wants it. */
  readonly debianPackage: string;
  readonly present: () => boolean;
}

const browsers = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Everything that `npm test` would use if it were there. A test asks for one of these names through
 * `test/support/programs.ts`, so that this list is also the list of what can be missing.
 */
export const programs: readonly Program[] = [
  { name: 'redis-server', usedFor: 'drivers on a real Redis', debianPackage: 'redis-server', present: () => onPath('redis-server') },
  { name: 'chromium', usedFor: 'pages in a real browser', debianPackage: 'chromium', present: () => programPath('chromium') !== undefined },
  {
    name: 'promtool',
    usedFor: 'metrics and alert rules, judged by Prometheus itself',
    debianPackage: 'prometheus',
    present: () => onPath('promtool'),
  },
  {
    name: 'postgresql-15',
    usedFor: 'the database tests on the oldest supported PostgreSQL (with TEST_DATABASE_URL; .ci/run starts one)',
    debianPackage: 'postgresql-15',
    present: () => Boolean(process.env['TEST_DATABASE_URL']) || existsSync('/usr/lib/postgresql/15/bin/postgres'),
  },
  { name: 'curl', usedFor: 'the curl lines of README and guides', debianPackage: 'curl', present: () => onPath('curl') },
];

export function missingPrograms(): Program[] {
  return programs.filter((program) => !program.present());
}

/** Where a program of the list, or any other command, is on this machine. */
export function programPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const commands = (name === 'chromium' ? browsers : [name]).flatMap((command) =>
    process.platform === 'win32' ? [`${command}.exe`, `${command}.cmd`] : [command],
  );
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find((file) => existsSync(file));
}

function onPath(command: string): boolean {
  return programPath(command) !== undefined;
}

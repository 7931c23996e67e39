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

/**
 * Everything that `npm test` would use if it were there. A test asks for one of these names through
 * `test/support/programs.ts`, so that this list is also the list of what can be missing.
 */
export const programs: readonly Program[] = [
  { name: 'redis-server', usedFor: 'drivers on a real Redis', debianPackage: 'redis-server', present: () => onPath('redis-server') },
  {
    name: 'chromium',
    usedFor: 'pages in a real browser',
    debianPackage: 'chromium',
    present: () => onPath('chromium') || onPath('chromium-browser') || onPath('google-chrome'),
  },
  { name: 'promtool', usedFor: 'metrics and alert rules, judged by Prometheus itself', debianPackage: 'prometheus', present: () => onPath('promtool') },
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

export function onPath(command: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  return folders.some((folder) => endings.some((ending) => existsSync(join(folder, command + ending))));
}

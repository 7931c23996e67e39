import { programs } from '../../scripts/test/programs.ts';

/**
 * For `describe.skipIf(lacks('redis-server'))`. Where everything is required (REQUIRE_ALL_PROGRAMS=1, as in CI) it throws
 * instead, so that a test that cannot run fails and is never silently skipped there.
 */
export function lacks(name: string): boolean {
  const program = programs.find((candidate) => candidate.name === name);
  if (!program) throw new Error(`${name} is not in scripts/test/programs.ts: add it there, so that npm test can say when it is missing`);
  if (program.present()) return false;
  if (process.env['REQUIRE_ALL_PROGRAMS'] === '1')
    throw new Error(`${name} is required here and is not installed (Debian: ${program.debianPackage})`);
  return true;
}

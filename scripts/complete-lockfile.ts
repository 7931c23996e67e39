import { readFileSync, writeFileSync } from 'node:fs';
import { absentPlatformEntries, entriesForGlibcOnly, type LockPackages } from './lockfile/absent-platforms.ts';

// `npm run lockfile`, after every `npm install`: adds what the lockfile lacks for other platforms.

const file = 'package-lock.json';
const lockfile = JSON.parse(readFileSync(file, 'utf8')) as { packages: LockPackages };
const absent = { ...absentPlatformEntries(lockfile.packages), ...entriesForGlibcOnly(lockfile.packages) };
const names = Object.keys(absent);
if (names.length > 0) {
  const packages = Object.fromEntries(Object.entries({ ...lockfile.packages, ...absent }).toSorted(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify({ ...lockfile, packages }, undefined, 2)}\n`);
}
console.log(
  names.length === 0
    ? 'The lockfile is complete.'
    : `Completed in the lockfile, for other platforms: ${names.map((name) => name.slice('node_modules/'.length)).join(', ')}`,
);

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '../build/packages.ts';
import { absentPlatformEntries, entriesForGlibcOnly, type LockEntry, type LockPackages } from '../lockfile/absent-platforms.ts';
import type { Workbench } from './workbench.ts';

export function checkLockfile({ root }: Workbench): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: LockPackages };
  const problems: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (!path.includes('node_modules/') || entry.link) continue;
    if (entry.resolved)
      problems.push(
        `${path} names where it was downloaded; whoever installs has a registry of their own. Install with the .npmrc of this repository (omit-lockfile-registry-resolved).`,
      );
    if (!entry.integrity && !isForRarePlatform(entry))
      problems.push(`${path} has no integrity, so that anything could be installed in its place.`);
  }
  for (const path of Object.keys(entriesForGlibcOnly(packages)))
    problems.push(`${path} would be installed on musl, where it does not run. Run: npm run lockfile`);
  const absent = Object.keys(absentPlatformEntries(packages));
  if (absent.length > 0)
    problems.push(
      `npm ci will refuse the lockfile: it lacks ${absent.length} packages of other platforms, such as ${absent[0]}. Run: npm run lockfile`,
    );
  for (const folder of ['.', ...Object.keys(packages).filter((path) => /^packages\/[^/]+$/.test(path))]) {
    const { dependencies, devDependencies, optionalDependencies } = readManifest(join(root, folder));
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range))
        problems.push(`${folder}/package.json: ${name} is ${range}; pin the exact version (npm install -E).`);
    }
  }
  return problems;
}

/** Platforms whose packages some registries do not carry; those that CI and servers run on have no excuse. */
function isForRarePlatform({ optional, os, cpu, libc }: LockEntry): boolean {
  const common = os?.[0] === 'linux' && (cpu?.[0] === 'x64' || cpu?.[0] === 'arm64') && libc?.[0] !== 'musl';
  return optional === true && cpu !== undefined && !common;
}

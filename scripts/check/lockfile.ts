import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '../build/packages.ts';
import type { Workbench } from './workbench.ts';

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly resolved?: string; readonly integrity?: string; readonly link?: boolean; readonly version?: string }>>;
}

export function checkLockfile({ root }: Workbench): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
  const problems: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (!path.includes('node_modules/') || entry.link) continue;
    if (entry.resolved) problems.push(`${path} names where it was downloaded; whoever installs has a registry of their own. Install with the .npmrc of this repository (omit-lockfile-registry-resolved).`);
    if (!entry.integrity) problems.push(`${path} has no integrity, so that anything could be installed in its place.`);
  }
  for (const folder of ['.', ...Object.keys(packages).filter((path) => /^packages\/[^/]+$/.test(path))]) {
    const { dependencies, devDependencies, optionalDependencies } = readManifest(join(root, folder));
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range)) problems.push(`${folder}/package.json: ${name} is ${range}; pin the exact version (npm install -E).`);
    }
  }
  return problems;
}

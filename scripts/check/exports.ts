import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages, readManifest } from '../build/packages.ts';
import type { Workbench } from './workbench.ts';

/** `exports` is the table of contents of a package: complete, without wildcards, loadable as built, and explained in its README. */
export function checkExports(bench: Workbench): string[] {
  const built = bench.built();
  return publishedPackages.flatMap((name) => {
    const folder = join(built, 'packages', name);
    const manifest = readManifest(folder);
    const readmeFile = join(folder, 'README.md');
    if (!existsSync(readmeFile)) return [`packages/${name} has no README.md, the page that its users see first.`];
    const readme = readFileSync(readmeFile, 'utf8');
    const entries = Object.entries(manifest.exports ?? {});
    if (entries.length === 0) return [`packages/${name}/package.json has no exports; without them every file is public.`];

    const problems: string[] = [];
    const specifiers: string[] = [];
    for (const [subpath, target] of entries) {
      if (subpath === './package.json') continue;
      const specifier = manifest.name + subpath.slice(1);
      specifiers.push(specifier);
      if (subpath.includes('*'))
        problems.push(`${specifier}: a wildcard publishes files that nobody decided to publish. Name each subpath.`);
      if (!readme.includes(`\`${specifier}\``))
        problems.push(`${specifier} is not in packages/${name}/README.md. Add a row that says what it is for.`);
      if (typeof target === 'string' || Object.keys(target).join() !== 'dev-source,types,default') {
        problems.push(`${specifier}: conditions must be dev-source, types, default, in this order: the first that matches wins.`);
        continue;
      }
      for (const [condition, file] of Object.entries(target)) {
        if (!existsSync(join(folder, file))) problems.push(`${specifier}: ${condition} leads to ${file}, which is not there.`);
      }
    }
    return problems.length > 0 ? problems : load(folder, specifiers);
  });
}

/** Imports every subpath as built, in one process that knows nothing of the source. */
function load(folder: string, specifiers: readonly string[]): string[] {
  if (specifiers.length === 0) return [];
  const program = `for (const specifier of ${JSON.stringify(specifiers)}) {
    try { if (Object.keys(await import(specifier)).length === 0) console.log(specifier + ' exports nothing'); }
    catch (error) { console.log(specifier + ' does not load: ' + error.message); }
  }`;
  const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder, encoding: 'utf8' });
  const problems = `${run.stdout}${run.stderr}`.trim();
  return problems === '' && run.status === 0 ? [] : [problems];
}

import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages } from './packages.ts';

/** Compiles every published package of the repository at `root` into its `dist/`, from scratch. Throws at the first that fails. */
export function buildPackages(root: string): void {
  for (const name of publishedPackages) {
    const folder = join(root, 'packages', name);
    rmSync(join(folder, 'dist'), { recursive: true, force: true });
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(folder, 'tsconfig.build.json')], { stdio: 'inherit' });
    if (tsc.status !== 0) throw new Error(`packages/${name} does not compile for publishing`);
    copyAssets(join(folder, 'src'), join(folder, 'dist'));
  }
}

/** Whatever the source reads at run time beside code (SQL, price tables, pages); pages about the source stay at home. */
function copyAssets(source: string, target: string): void {
  for (const entry of readdirSync(source, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || /\.(ts|tsx|md)$/.test(entry.name) || entry.parentPath.includes('__fixtures__')) continue;
    const from = join(entry.parentPath, entry.name);
    cpSync(from, join(target, from.slice(source.length)), { recursive: true });
  }
}

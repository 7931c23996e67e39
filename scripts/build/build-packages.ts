import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages, readManifest } from './packages.ts';

/** Compiles every published package of the workspace at `root` into its `dist/`, from scratch. Throws at the first that fails. */
export function buildPackages(root: string): void {
  for (const name of publishedPackages) {
    const folder = join(root, 'packages', name);
    rmSync(join(folder, 'dist'), { recursive: true, force: true });
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const tsc = spawnSync(process.execPath, [compiler, '-p', join(folder, 'tsconfig.build.json')], { encoding: 'utf8' });
    if (tsc.status !== 0) throw new Error(`packages/${name} does not compile for publishing:\n${tsc.stdout}${tsc.stderr}`);
    copyAssets(join(folder, 'src'), join(folder, 'dist'));
  }
}

/**
 * Builds in the empty `folder` what `buildPackages` would build in the tree at `root`, whose packages thereby stay as they
 * are: whoever judges a build must not change what a running test or server of the same tree loads.
 */
export function buildAside(root: string, folder: string): void {
  const modules = join(folder, 'node_modules');
  linkAll(join(root, 'node_modules'), modules, ['@holdfast', 'holdfast', '.bin', '.package-lock.json']);
  cpSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
  mkdirSync(join(modules, '@holdfast'));
  for (const name of publishedPackages) {
    const from = join(root, 'packages', name);
    const to = join(folder, 'packages', name);
    cpSync(from, to, { recursive: true, filter: (path) => !/[/\\](node_modules|dist)$/.test(path.slice(from.length)) });
    // Versions that differ from the root's are installed beside the package.
    linkAll(join(from, 'node_modules'), join(to, 'node_modules'), []);
    symlinkSync(to, join(modules, readManifest(from).name), 'junction');
  }
  buildPackages(folder);
}

function linkAll(from: string, to: string, except: readonly string[]): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) if (!except.includes(name)) symlinkSync(join(from, name), join(to, name), 'junction');
}

/** Whatever the source reads at run time beside code (SQL, price tables, pages); pages about the source stay at home. */
function copyAssets(source: string, target: string): void {
  for (const entry of readdirSync(source, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || /\.(ts|tsx|md)$/.test(entry.name) || entry.parentPath.includes('__fixtures__')) continue;
    const from = join(entry.parentPath, entry.name);
    cpSync(from, join(target, from.slice(source.length)), { recursive: true });
  }
}

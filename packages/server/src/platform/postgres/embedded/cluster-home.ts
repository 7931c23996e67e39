import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import { onFolder } from './folder-fault.ts';
import { requireServiceUser, userOfUid, type ProcessUser } from './process-user.ts';
import { findObstacle, mayTraverse } from './reachability.ts';

/** Where the cluster of a data folder is, and who runs it. */
export interface ClusterHome {
  /** Ours: log, socket and drafts. Open to pass through, not to write, for the user of PostgreSQL. */
  readonly home: string;
  /** PostgreSQL's own folder (`PGDATA`). */
  readonly data: string;
  /** Undefined when PostgreSQL runs as the user of this process. */
  readonly user: ProcessUser | undefined;
  /** Whether there is a whole cluster in `data`. */
  readonly exists: boolean;
  /** Set when the data folder has to be told where its cluster is, once there is one. */
  readonly pointer: string | undefined;
}

const pointerFile = 'postgres-location.txt';

export interface ClusterHomeQuery {
  /** The real path of Holdfast's data folder. */
  readonly dataDir: string;
  readonly systemDir: string;
  readonly asRoot: boolean;
  readonly passwdText: string;
  readonly random: Random;
}

/** Looks only; makes nothing. */
export function findClusterHome(query: ClusterHomeQuery): ClusterHome {
  const inside = join(query.dataDir, 'postgres');
  if (existsSync(join(inside, 'data'))) return existing(inside, query);
  const pointer = join(query.dataDir, pointerFile);
  const elsewhere = readPointer(pointer);
  if (elsewhere !== undefined) {
    if (isThere(join(elsewhere, 'data'))) return existing(elsewhere, query);
    // Never a fresh cluster in place of a lost one: keys and ledger would seem to be gone without a word.
    throw unusable(
      `the database of ${query.dataDir} was kept in ${elsewhere} and is not there any more; put it back, or remove ${pointer} to begin anew`,
    );
  }
  if (!query.asRoot) return { home: inside, data: join(inside, 'data'), user: undefined, exists: false, pointer: undefined };
  const user = requireServiceUser(query.passwdText);
  if (findObstacle(query.dataDir, user, mayTraverse) === undefined) {
    return { home: inside, data: join(inside, 'data'), user, exists: false, pointer: undefined };
  }
  // A name of its own, not only the hash of the path: who removes a data folder to begin anew must not meet the old cluster.
  const name = `${createHash('sha256').update(query.dataDir).digest('hex').slice(0, 12)}-${query.random.bytes(3).toString('hex')}`;
  const home = join(query.systemDir, name);
  return { home, data: join(home, 'data'), user, exists: false, pointer };
}

function existing(home: string, query: ClusterHomeQuery): ClusterHome {
  const data = join(home, 'data');
  const stats = onFolder(data, () => statSync(data));
  const cluster = { home, data, exists: true, pointer: undefined };
  if (!query.asRoot) {
    if (stats.uid === process.geteuid?.()) return { ...cluster, user: undefined };
    const owner = userOfUid(query.passwdText, stats.uid, stats.gid).name;
    throw unusable(`${data} belongs to ${owner}; start as that user or as root`);
  }
  if (stats.uid === 0) throw unusable(`${data} belongs to root, as which PostgreSQL does not run; give it to another user with chown -R`);
  const user = userOfUid(query.passwdText, stats.uid, stats.gid);
  const obstacle = findObstacle(data, user, mayTraverse);
  if (obstacle) throw unusable(`${user.name}, as whom PostgreSQL runs, may not pass ${obstacle}`);
  return { ...cluster, user };
}

/** Makes `home` with modes that fit; for a path under the system folder, its parents too. */
export function makeClusterHome({ home, user }: ClusterHome, systemDir: string): void {
  const mode = user ? 0o711 : 0o700;
  onFolder(home, () => {
    if (user && home.startsWith(systemDir + '/') && mkdirSync(systemDir, { recursive: true })) chmodSync(systemDir, 0o711);
    mkdirSync(home, { recursive: true });
    if (statSync(home).uid === process.geteuid?.()) chmodSync(home, mode); // whatever the umask was, also at an earlier start
  });
  const obstacle = user && findObstacle(home, user, mayTraverse);
  if (obstacle) throw unusable(`${user.name}, as whom PostgreSQL runs, may not pass ${obstacle}`);
}

/** In one step, after the cluster is whole: a pointer means that there is one. */
export function writePointer(cluster: ClusterHome, random: Random): void {
  const { pointer } = cluster;
  if (pointer === undefined) return;
  const draft = `${pointer}.${random.bytes(4).toString('hex')}`;
  const text = `The database of this folder is kept outside of it, where the user ${cluster.user?.name} can reach it.\nBack it up and move it together with this folder. It is in\n${cluster.home}\n`;
  onFolder(pointer, () => {
    // For the operator who removed a data folder and wonders what this is: we never remove a database by ourselves.
    writeFileSync(join(cluster.home, 'belongs-to.txt'), `${dirname(pointer)}\n`, { mode: 0o644 });
    writeFileSync(draft, text, { mode: 0o644, flush: true });
    renameSync(draft, pointer);
  });
}

function readPointer(pointer: string): string | undefined {
  if (!existsSync(pointer)) return undefined;
  const path = onFolder(pointer, () => readFileSync(pointer, 'utf8'))
    .trimEnd()
    .split('\n')
    .at(-1)!;
  if (!path.startsWith('/')) throw unusable(`${pointer} does not end with the path of the database`);
  return path;
}

function isThere(path: string): boolean {
  return onFolder(path, () => statSync(path, { throwIfNoEntry: false })) !== undefined;
}

function unusable(detail: string): HoldfastError {
  return new HoldfastError('data_folder_unusable', { detail });
}

import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import type { ClusterHome } from './cluster-home.ts';
import { findObstacle, mayTraverse } from './reachability.ts';

/** Only a part of the socket's name: there is no TCP port. */
export const socketPort = 5432;

/** `sun_path` holds 107 bytes on Linux and 103 on macOS; clients add to it. */
const maxSocketPathBytes = 99;

export function socketPath(folder: string): string {
  return join(folder, `.s.PGSQL.${socketPort}`);
}

export interface SocketFolderQuery {
  readonly cluster: Pick<ClusterHome, 'home' | 'user'>;
  readonly runtimeDir: string | undefined;
  readonly systemDir: string;
}

/**
 * Makes the folder of the socket: beside the cluster if the path is short enough, else in a short place of the user's or, for
 * root, of the system's. Never in `/tmp`, where others may write. Who may enter the folder may log in as anybody, therefore 0700.
 */
export function makeSocketFolder(query: SocketFolderQuery): string {
  const refused: string[] = [];
  for (const folder of candidates(query)) {
    if (Buffer.byteLength(socketPath(folder)) > maxSocketPathBytes) refused.push(`${folder} is too long`);
    else {
      const fault = makePrivateFolder(folder, query.cluster);
      if (fault === undefined) return folder;
      refused.push(fault);
    }
  }
  throw new HoldfastError('data_folder_unusable', {
    detail: `no place for the socket of PostgreSQL, whose path must be shorter than 100 bytes: ${refused.join('; ')}. Choose a shorter HOLDFAST_DATA_DIR`,
  });
}

function* candidates({ cluster, runtimeDir, systemDir }: SocketFolderQuery): Generator<string> {
  yield join(cluster.home, 'run');
  const name = createHash('sha256').update(cluster.home).digest('hex').slice(0, 16);
  if (cluster.user) {
    yield join('/run/holdfast', name);
    yield join(systemDir, 'run', name);
    return;
  }
  if (runtimeDir?.startsWith('/')) yield join(runtimeDir, 'holdfast', name);
  const home = homeFolder();
  if (home) yield join(home, '.holdfast-run', name);
}

function homeFolder(): string | undefined {
  try {
    const home = homedir();
    return home.startsWith('/') && home !== '/' ? home : undefined;
  } catch {
    return undefined; // a uid without a name and without HOME
  }
}

/** What is wrong with the folder, or undefined when it is there and nobody else's. */
function makePrivateFolder(folder: string, { home, user }: SocketFolderQuery['cluster']): string | undefined {
  const ownUid = process.geteuid?.();
  try {
    const parent = dirname(folder);
    if (parent !== home && mkdirSync(parent, { recursive: true })) chmodSync(parent, user ? 0o711 : 0o700);
    // Somebody else who may write in the parent could put another folder in our place.
    const parentStats = lstatSync(parent);
    const trusted = [0, ownUid, user?.uid].includes(parentStats.uid);
    if (!parentStats.isDirectory() || !trusted || parentStats.mode & 0o022) return `${parent} is open to others`;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!lstatSync(folder).isDirectory()) return `${folder} is not a folder`;
    if (user) chownSync(folder, user.uid, user.gid);
    chmodSync(folder, 0o700);
    if (lstatSync(folder).uid !== (user?.uid ?? ownUid)) return `${folder} belongs to somebody else`;
  } catch (thrown) {
    return `${folder} cannot be made (${(thrown as NodeJS.ErrnoException).code ?? String(thrown)})`;
  }
  const obstacle = user && findObstacle(folder, user, mayTraverse);
  return obstacle ? `${user.name} may not pass ${obstacle}` : undefined;
}

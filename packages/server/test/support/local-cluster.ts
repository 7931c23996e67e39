import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const binaries = '/usr/lib/postgresql/15/bin';
const run = promisify(execFile);

export interface LocalCluster {
  readonly socketDir: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** A PostgreSQL cluster in a temporary folder, reached by a socket in it. */
export async function startLocalCluster(): Promise<LocalCluster> {
  const folder = await mkdtemp('/tmp/holdfast-test-');
  const identity = userInfo().uid === 0 ? await postgresUser() : {};
  if (identity.uid !== undefined) await chown(folder, identity.uid, identity.gid!);
  const dataDir = join(folder, 'data');
  await run(join(binaries, 'initdb'), ['-D', dataDir, '-U', 'postgres', '-A', 'trust', '--no-sync'], { ...identity, cwd: folder });
  const server = spawn(join(binaries, 'postgres'), ['-D', dataDir, '-k', folder, '-c', 'listen_addresses=', '-p', '5432'], {
    ...identity,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(server, 'exit');
  await new Promise<void>((resolve, reject) => {
    let log = '';
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('ready to accept connections')) resolve();
    });
    exited.then(() => reject(new Error(log)), reject);
  });
  return {
    socketDir: folder,
    port: 5432,
    async stop() {
      server.kill('SIGINT');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';

export type TestRedisClient = ReturnType<typeof createTestClient>;

/** A Redis of its own on a unix socket in a temporary folder; nothing is written to disk. */
export interface TestRedis {
  readonly socketPath: string;
  /** A connected client, closed with the server. */
  connect(): Promise<TestRedisClient>;
  /** As if the machine had gone: no farewell, and what it held is lost. */
  kill(): Promise<void>;
  /** Begins again on the same socket, empty. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

function createTestClient(path: string) {
  const client = createClient({ disableOfflineQueue: true, socket: { path, reconnectStrategy: 20 } });
  // Without a listener a lost connection would end the process; the tests look at what the driver makes of it.
  client.on('error', () => {});
  return client;
}

export async function startTestRedis(): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'));
  const socketPath = join(folder, 'redis.sock');
  const clients: TestRedisClient[] = [];
  let server = await launch(folder, socketPath);

  return {
    socketPath,
    async connect() {
      const client = createTestClient(socketPath);
      clients.push(client);
      await client.connect();
      return client;
    },
    kill: () => end(server, 'SIGKILL'),
    async restart() {
      await end(server, 'SIGKILL');
      server = await launch(folder, socketPath);
    },
    async stop() {
      for (const client of clients) client.destroy();
      await end(server, 'SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when it says that it takes connections. */
function launch(folder: string, socketPath: string): Promise<ChildProcess> {
  const options = ['--port', '0', '--unixsocket', socketPath, '--dir', folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      if (/ready to accept connections/i.test(said)) resolve(child);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${said}`)));
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

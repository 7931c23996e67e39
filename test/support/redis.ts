import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export type TestRedisClient = ReturnType<typeof createTestClient>;

/** A Redis of its own on a unix socket in a temporary folder; nothing is written to disk. */
export interface TestRedis {
  readonly socketPath: string;
  /** A network of its own to this server, on 127.0.0.1, that can fail; gone with the server. */
  proxy(): Promise<TcpProxy>;
  /** A connected client, closed with the server. */
  connect(): Promise<TestRedisClient>;
  /** As if the machine had gone: no farewell, and what it held is lost. */
  kill(): Promise<void>;
  /** Begins again on the same socket, empty. */
  restart(): Promise<void>;
  /** Holds on to every connection and answers nothing, until it goes on. */
  pause(): void;
  goOn(): void;
  stop(): Promise<void>;
}

function createTestClient(path: string) {
  const client = createClient({ disableOfflineQueue: true, socket: { path, reconnectStrategy: 20 } });
  // Without a listener a lost connection would end the process; the tests look at what the driver makes of it.
  client.on('error', () => {});
  return client;
}

/** `options` as on the command line of redis-server: `['--requirepass', 'x']`. */
export async function startTestRedis(options: readonly string[] = []): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-'));
  const socketPath = join(folder, 'redis.sock');
  const clients: TestRedisClient[] = [];
  const proxies: TcpProxy[] = [];
  let server = await launch(folder, socketPath, options);

  return {
    socketPath,
    async connect() {
      const client = createTestClient(socketPath);
      clients.push(client);
      await client.connect();
      return client;
    },
    async proxy() {
      const proxy = await startTcpProxy({ path: socketPath });
      proxies.push(proxy);
      return proxy;
    },
    kill: () => end(server, 'SIGKILL'),
    async restart() {
      await end(server, 'SIGKILL');
      server = await launch(folder, socketPath, options);
    },
    pause: () => void process.kill(server.pid, 'SIGSTOP'),
    goOn: () => void process.kill(server.pid, 'SIGCONT'),
    async stop() {
      for (const client of clients) client.destroy();
      for (const proxy of proxies) await proxy.stop();
      await end(server, 'SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The shell between ends the server when its standard input ends: also when this process is killed, and no Redis is left that nobody
 * stops and that holds on to the test runner's output.
 */
const supervised =
  'exec 3<&0; redis-server "$@" & server=$!; echo "pid=$server"; (cat <&3 >/dev/null; kill $server 2>/dev/null) & wait $server';

interface Server {
  readonly shell: ChildProcess;
  readonly pid: number;
}

/** Resolves when it says that it takes connections. */
function launch(folder: string, socketPath: string, more: readonly string[]): Promise<Server> {
  const options = [
    ...more,
    '--port',
    '0',
    '--unixsocket',
    socketPath,
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
    '--daemonize',
    'no',
  ];
  const shell = spawn('sh', ['-c', supervised, 'sh', ...options], { stdio: ['pipe', 'pipe', 'ignore'] });
  return new Promise((resolve, reject) => {
    let said = '';
    shell.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      const pid = Number(/pid=(\d+)/.exec(said)?.[1]);
      if (/ready to accept connections/i.test(said)) resolve({ shell, pid });
    });
    shell.once('error', reject);
    shell.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${said}`)));
  });
}

function end({ shell, pid }: Server, signal: NodeJS.Signals): Promise<void> {
  if (shell.exitCode !== null || shell.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    shell.once('exit', () => {
      shell.stdin?.destroy();
      resolve();
    });
    // One that was paused hears nothing else before.
    if (signal !== 'SIGKILL') process.kill(pid, 'SIGCONT');
    process.kill(pid, signal);
  });
}

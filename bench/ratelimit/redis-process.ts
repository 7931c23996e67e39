import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { startOn } from '../support/process.ts';

export interface BenchRedis {
  readonly pid: number;
  readonly socketPath: string;
  readonly version: string;
  /** Commands that clients sent so far, scripts counted as one: of those that the subjects use. */
  commands(): Promise<number>;
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis on one core, on a unix socket, that writes nothing to disk. */
export async function startRedis(core: number): Promise<BenchRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-redis-'));
  const socketPath = join(folder, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', socketPath, '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = await startOn(core, 'redis-server', args, /Redis version=([\d.]+)[\s\S]*ready to accept connections/i, {
    outputFile: join(folder, 'log'),
  });
  const client = createClient({ socket: { path: socketPath, reconnectStrategy: false } });
  await client.connect();
  return {
    pid: server.pid,
    socketPath,
    version: server.found[1]!,
    async commands() {
      const stats = await client.info('commandstats');
      return [...stats.matchAll(/cmdstat_(?:evalsha|eval|multi|exec):calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
    },
    flush: async () => void (await client.flushAll()),
    async stop() {
      client.destroy();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

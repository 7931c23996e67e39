import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { compileCache } from '../../../../test/support/compile-cache.ts';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from '../../src/platform/postgres/embedded/index.ts';
import { isAlive } from '../../src/platform/postgres/embedded/process-identity.ts';

export const isRoot = process.geteuid?.() === 0;

/** What a server process of its own said in its one line. */
export interface ServerLine {
  readonly pid?: number;
  readonly socketDir?: string;
  readonly adopted?: boolean;
  readonly logPath?: string;
  readonly code?: string;
  readonly detail?: string;
}

export type ServerOptions = Omit<EmbeddedPostgresOptions, 'clock' | 'random'> & {
  /** The process becomes this user before it starts anything; its group has the same number. */
  readonly asUid?: number;
  readonly home?: string;
};

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly line: Promise<ServerLine>;
  /** `kill -9`, and the wait for its end. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Folders, processes and clients of one test, and their end. */
export class Scene {
  readonly #folders: string[] = [];
  readonly #servers: ServerProcess[] = [];
  readonly #started: EmbeddedPostgres[] = [];
  readonly #clients: pg.Client[] = [];
  readonly #postmasters = new Set<number>();
  readonly #strangers: ChildProcess[] = [];

  /** A folder that every user can reach. */
  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'hf-'));
    chmodSync(folder, 0o755);
    this.#folders.push(folder);
    return folder;
  }

  /** A data folder whose cluster is there, copied from `template`: making one takes ten times as long. */
  madeFrom(template: string): string {
    const dataDir = join(this.folder(), 'data');
    execFileSync('cp', ['-a', template, dataDir]);
    return dataDir;
  }

  async start(options: Omit<EmbeddedPostgresOptions, 'clock' | 'random'>): Promise<EmbeddedPostgres> {
    const postgres = await startEmbeddedPostgres({ clock: systemClock, random: systemRandom, ...options });
    this.#started.push(postgres);
    this.#postmasters.add(postgres.pid);
    return postgres;
  }

  /** The same in a process of its own, which can be killed. */
  spawn(options: ServerOptions): ServerProcess {
    const program = fileURLToPath(new URL('server.ts', import.meta.url));
    const { home = '/nonexistent', ...rest } = options;
    const child = spawn(process.execPath, ['--conditions=dev-source', program, JSON.stringify(rest)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { HOME: home, SECRET_OF_THE_SERVER: 'must-not-leak', ...compileCache },
    });
    const ended = once(child, 'exit');
    const line = (async (): Promise<ServerLine> => {
      for await (const text of createInterface({ input: child.stdout! })) {
        const said = JSON.parse(text) as ServerLine;
        if (said.pid) this.#postmasters.add(said.pid);
        return said;
      }
      return {};
    })();
    const end = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      await ended;
    };
    const server = { child, line, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
    this.#servers.push(server);
    return server;
  }

  /** The pid of a living process of that user, which is not PostgreSQL. */
  stranger({ uid, gid }: { readonly uid: number; readonly gid: number }): number {
    const child = spawn('/bin/sleep', ['600'], { cwd: '/', stdio: 'ignore', ...(isRoot && { uid, gid }) });
    this.#strangers.push(child);
    return child.pid!;
  }

  /** The pid of such a process that has ended and that its parent does not collect. */
  async zombie({ uid, gid }: { readonly uid: number; readonly gid: number }): Promise<number> {
    const child = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'ignore'],
      ...(isRoot && { uid, gid }),
    });
    this.#strangers.push(child);
    const [text] = (await once(child.stdout!, 'data')) as [Buffer];
    const pid = Number(text.toString());
    await until(() => !isAlive(pid));
    return pid;
  }

  async connect({ socketDir }: { readonly socketDir?: string }): Promise<pg.Client> {
    const client = new pg.Client({ host: socketDir!, port: 5432, user: 'postgres', database: 'postgres' });
    client.on('error', () => {});
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  async query(where: { readonly socketDir?: string }, sql: string): Promise<Record<string, unknown>[]> {
    const client = await this.connect(where);
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async end(): Promise<void> {
    for (const stranger of this.#strangers) stranger.kill('SIGKILL');
    for (const client of this.#clients) client.end().catch(() => {});
    for (const server of this.#servers) if (server.child.exitCode === null && server.child.signalCode === null) await server.kill();
    for (const postgres of this.#started) await postgres.stop().catch(() => {});
    for (const pid of this.#postmasters) {
      if (isAlive(pid)) process.kill(pid, 'SIGQUIT');
      await until(() => !isAlive(pid));
    }
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Awaits a condition of another process, which nothing announces. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

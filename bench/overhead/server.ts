import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gatewayCore, otherCore } from '../gateway/subjects.ts';
import { descendants, pinTree, startOn } from '../support/process.ts';

export interface MeasuredServer {
  readonly pid: number;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * Holdfast on the gateway's core, its database on the other one. It is asked whether it is there, since one whose log is off says nothing. Its log
 * goes to a file, as in production: to a pipe whoever reads it would take part in the measurement.
 */
export async function startServer(folder: string, upstreamPort: number, env: Readonly<Record<string, string>>): Promise<MeasuredServer> {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const baseUrl = `http://127.0.0.1:${upstreamPort}/v1`;
  writeFileSync(
    path.join(folder, 'holdfast.config.yaml'),
    JSON.stringify({
      providers: { primary: { kind: 'openai', baseUrl, apiKey: 'sk-bench' } },
      models: { fast: { targets: ['primary/gpt-4o-mini'] }, late: { targets: ['primary/late'] } },
    }),
  );
  const key = 'bench-operator-key-0123456789abcdef0123456789abcdef';
  const port = await freePort();
  const program = fileURLToPath(new URL('../../packages/server/bin/holdfast.js', import.meta.url));
  const started = await startOn(gatewayCore, process.execPath, [program, 'serve'], /^/, {
    cwd: folder,
    outputFile: path.join(folder, 'holdfast.log'),
    env: {
      HOLDFAST_PORT: String(port),
      HOLDFAST_DATA_DIR: path.join(folder, 'data'),
      HOLDFAST_BOOTSTRAP_KEY: key,
      LOG_JSON_FORMAT: 'true',
      ...env,
    },
  });
  for (const until = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if ((await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.ok) break;
    if (started.child.exitCode !== null || Date.now() > until) throw new Error(`the server does not answer: see ${folder}/holdfast.log`);
  }
  for (const pid of descendants(started.pid)) pinTree(pid, otherCore);
  return { pid: started.pid, port, headers: { authorization: `Bearer ${key}` }, stop: () => started.stop() };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { publishedPackages, readManifest } from '../build/packages.ts';

export interface Finding {
  readonly guarantee: string;
  /** Undefined when it holds. */
  readonly problem: string | undefined;
}

/** Uses the packages that are installed in `folder`, on `node`, one guarantee after the other. */
export async function* runInstalled(folder: string, node: string): AsyncGenerator<Finding> {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const run = (args: readonly string[], expected = ''): string | undefined => {
    const result = spawnSync(node, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    return result.status === 0 && result.stdout.includes(expected)
      ? undefined
      : `${result.stdout}${result.stderr}${result.error?.message ?? ''}`;
  };
  for (const name of publishedPackages) {
    const manifest = readManifest(join(folder, 'node_modules', name === 'server' ? 'holdfast' : `@holdfast/${name}`));
    for (const subpath of Object.keys(manifest.exports ?? {})) {
      if (subpath === './package.json') continue;
      const specifier = manifest.name + subpath.slice(1);
      yield {
        guarantee: `${specifier} loads on Node ${version}`,
        problem: run(['--input-type=module', '--eval', `await import('${specifier}')`]),
      };
    }
  }
  yield {
    guarantee: 'three lines of @holdfast/kit/fastify limit a Fastify app',
    problem: run(['--input-type=module', '--eval', limitedApp], '200,429'),
  };
  const command = join(folder, 'node_modules/holdfast/bin/holdfast.js');
  yield {
    guarantee: 'holdfast --version tells its version',
    problem: run([command, '--version'], readManifest(join(folder, 'node_modules/holdfast')).version),
  };
  yield { guarantee: 'holdfast --help lists the commands', problem: run([command, '--help'], 'serve') };
  yield {
    guarantee: 'holdfast serve answers probes from its thread and a call of the sandbox, and stops when asked',
    problem: await serve(folder, node, command),
  };
}

/** A stranger's app: ten requests at once pass, the eleventh does not. */
const limitedApp = `
import Fastify from 'fastify';
import { rateLimit } from '@holdfast/kit/fastify';
const app = Fastify();
await app.register(rateLimit);
app.get('/', () => 'hello');
const statuses = [];
for (let call = 0; call < 11; call++) statuses.push((await app.inject('/')).statusCode);
console.log(statuses.slice(-2).join());
await app.close();
`;

/** Starts the server on a port of its own, makes one call, stops it. Returns what went wrong. */
async function serve(folder: string, node: string, command: string): Promise<string | undefined> {
  const server = spawn(node, [command, 'serve'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      HOLDFAST_PORT: '0',
      HOLDFAST_HEALTH_PORT: '0',
      HOLDFAST_DATA_DIR: join(folder, 'data'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(server, 'exit');
  const printed = new Promise<{ url: string; probes: string; key: string }>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const url = /"url":"(http:\/\/127\.0\.0\.1:[1-9]\d*)/.exec(output)?.[1];
      const probes = /"health_url":"(http:\/\/127\.0\.0\.1:[1-9]\d*)/.exec(output)?.[1];
      const shown = /\bhf_[A-Za-z0-9_]{20,}/.exec(output)?.[0];
      if (url && probes && shown) resolve({ url, probes, key: shown });
    };
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    void ended.then(() => reject(new Error('it ended before it showed its address and a key')));
    setTimeout(() => reject(new Error('it showed no address and key within 60 s')), 60_000).unref();
  });
  try {
    const { url, probes, key: shown } = await printed;
    const ready = await fetch(`${probes}/health/ready`, { signal: AbortSignal.timeout(30_000) });
    if (ready.status !== 200) return `the thread of the probes answered ${ready.status}: ${await ready.text()}\n${output}`;
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${shown}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sandbox/echo', messages: [{ role: 'user', content: 'Hello' }] }),
      signal: AbortSignal.timeout(30_000),
    });
    const body = await answer.text();
    if (answer.status !== 200 || !body.includes('"choices"')) return `the call was answered with ${answer.status}: ${body}\n${output}`;
    server.kill('SIGTERM');
    const [code] = (await Promise.race([
      ended,
      new Promise((resolve) => setTimeout(resolve, 30_000, ['no exit within 30 s']).unref()),
    ])) as [unknown];
    return code === 0 ? undefined : `after SIGTERM it ended with ${String(code)}\n${output}`;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${output}`;
  } finally {
    if (server.exitCode === null && server.signalCode === null) server.kill('SIGKILL');
  }
}

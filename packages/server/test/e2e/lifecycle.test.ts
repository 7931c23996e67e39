import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import type { UsagePage } from '@holdfast/contracts';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { databaseFolder } from '../../../../test/support/roomy-folder.ts';
import { openSocket } from '../http/door.ts';
import { placeReadyCluster } from '../support/ready-cluster.ts';
import { runCli, startServer, type RunningServer } from '../support/server.ts';
import { startGateway, type Gateway } from './fixture.ts';

const messages = [{ role: 'user', content: 'Hello' }];
const ready = (server: RunningServer) => fetch(`${server.url}/health/ready`).then((answer) => answer.status);

async function openGateway(options: Parameters<typeof startGateway>[0] = {}): Promise<Gateway> {
  const gateway = await startGateway({ limits: { firstTokenMs: 60_000, stallMs: 60_000, totalMs: 60_000 }, ...options });
  onTestFinished(() => gateway.stop());
  return gateway;
}

const chat = (gateway: Gateway, stream: boolean, key?: string) =>
  gateway.fetch('/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ model: 'fast', stream, messages }),
    ...(key !== undefined && { key }),
  });

/** The ledger after the server has ended, as the command line shows it. */
async function rowsOf(server: RunningServer): Promise<UsagePage['data']> {
  const { code, out, error } = await server.cli('usage', '--json', '--limit', '200');
  expect([code, error]).toEqual([0, '']);
  return (JSON.parse(out) as UsagePage).data;
}

const count = (rows: UsagePage['data'], outcome: string) => rows.filter((row) => row.outcome === outcome).length;

describe('SIGTERM', () => {
  test('lets plain calls and streams end, turns new ones away meanwhile, and ends with 0 and every row stored', async () => {
    const gateway = await openGateway({ env: { HOLDFAST_HEALTH_PORT: '0' } });
    const { server, upstream } = gateway;
    const probes = /"health_url":"([^"]+)"/.exec(server.output())![1]!;
    expect((await fetch(`${probes}/health/ready`)).status).toBe(200);
    upstream.script('gpt-4o-mini', { chunks: 40, spacingMs: 25, firstTokenDelayMs: 200 });
    const running = Array.from({ length: 20 }, (_, index) =>
      chat(gateway, index % 2 === 0).then(async (answer) => ({ status: answer.status, text: await answer.text() })),
    );
    await upstream.waitFor((calls) => calls.length === 20);
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(() => ready(server), { interval: 10 }).toBe(503);
    for (const url of [server.url, probes]) expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${probes}/health/ready`)).status).toBe(503);
    for (const [url, shape] of [
      ['/v1/chat/completions', (body: any) => body.error.code],
      ['/v1/messages', (body: any) => body.error.code],
      ['/api/usage', (body: any) => body.error.reason],
    ] as const) {
      const refused = await gateway.fetch(url, url === '/api/usage' ? {} : { method: 'POST', body: '{}' });
      expect([refused.status, refused.headers.get('connection'), shape(await refused.json())]).toEqual([503, 'close', 'draining']);
    }
    const answers = await Promise.all(running);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.filter(({ text }) => text.includes('data: [DONE]') && text.includes('word39'))).toHaveLength(10);
    expect(answers.filter(({ text }) => text.startsWith('{') && text.includes('word39'))).toHaveLength(10);
    expect(await server.exited).toBe(0);
    expect(upstream.calls).toHaveLength(20);
    const rows = await rowsOf(server);
    expect([rows.length, count(rows, 'completed')]).toEqual([20, 20]);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '(here %s) in the middle of a first start ends it with 0, its database too, and the next start is whole',
    async (signal) => {
      const folder = mkdtempSync(path.join(databaseFolder(), 'holdfast-test-start-'));
      chmodSync(folder, 0o711);
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const dataDir = path.join(folder, 'data');
      async function tell(child: ChildProcess): Promise<void> {
        // Its database is being made then, which takes longest.
        await expect.poll(() => existsSync(path.join(dataDir, 'postgres')), { interval: 5, timeout: 10_000 }).toBe(true);
        child.kill(signal);
      }
      let told: Promise<unknown> | undefined;
      const started = startServer({
        dataDir,
        onSpawn(child) {
          told = tell(child);
        },
      });
      const ended = await started.then(
        () => expect.unreachable('it served'),
        (error: Error) => error.message,
      );
      await told;
      expect(ended).toMatch(/^the server ended with 0:/);
      expect(ended).toContain('stopped during the start');
      expect(ended).not.toMatch(/listening|hf_/);
      expect(globSync('**/postmaster.pid', { cwd: dataDir })).toEqual([]);

      const next = await startServer({ dataDir });
      expect(next.key).toMatch(/^hf_/);
      expect(await ready(next)).toBe(200);
      expect(await next.stop()).toBe(0);
    },
  );

  test('twice ends at once; what was under way is interrupted after the next start, and keys still work', async () => {
    const gateway = await openGateway();
    const { server, upstream } = gateway;
    upstream.script('gpt-4o-mini', { chunks: 10_000, spacingMs: 20 });
    const stream = await chat(gateway, true);
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(() => ready(server), { interval: 10 }).toBe(503);
    process.kill(server.pid, 'SIGTERM');
    expect(await server.exited).toBeNull();
    expect(server.process.signalCode).toBe('SIGTERM');
    await expect(stream.text()).rejects.toThrow();
    const next = await openGateway({ dataDir: server.dataDir, key: server.key });
    expect((await chat(next, false)).status).toBe(200);
    const rows = await rowsOf(next.server);
    expect(rows.map((row) => [row.outcome, row.streamed])).toEqual([
      ['completed', false],
      ['interrupted', true],
    ]);
  });

  test('is not held up by a reader that is stuck, whose call is recorded', async () => {
    const gateway = await openGateway({ env: { HOLDFAST_DRAIN_TIMEOUT_MS: '500' } });
    const { server, upstream } = gateway;
    upstream.script('gpt-4o-mini', { text: Array.from({ length: 300 }, () => 'w'.repeat(64 * 1024)).join(' ') });
    const { socket, closed } = await openSocket(Number(new URL(server.url).port));
    socket.pause();
    const body = JSON.stringify({ model: 'fast', stream: true, messages });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await upstream.waitFor(([call]) => (call?.bytesSent ?? 0) > 200_000);
    process.kill(server.pid, 'SIGTERM');
    expect(await server.exited).toBe(0);
    expect(server.output()).toMatch(/"cut":1/);
    socket.destroy();
    await closed;
    const rows = await rowsOf(server);
    expect(rows.map((row) => [row.outcome, row.error_code])).toEqual([['aborted', 'client_closed']]);
  });

  test('with calls that do not end cuts them at the bound: no client takes its answer for whole, and all are recorded', async () => {
    const gateway = await openGateway({ env: { HOLDFAST_DRAIN_TIMEOUT_MS: '300' } });
    const { server, upstream } = gateway;
    upstream.script('gpt-4o-mini', { chunks: 10_000, spacingMs: 10 });
    upstream.script('text-embedding-3-small', { kind: 'silent' });
    const streams = await Promise.all(Array.from({ length: 5 }, () => chat(gateway, true)));
    const silent = gateway.fetch('/v1/embeddings', { method: 'POST', body: JSON.stringify({ model: 'embed', input: 'x' }) });
    const silentEnds = expect(silent).rejects.toThrow();
    await upstream.waitFor((calls) => calls.length === 6);
    process.kill(server.pid, 'SIGTERM');
    for (const stream of streams) await expect(stream.text()).rejects.toThrow();
    await silentEnds;
    expect(await server.exited).toBe(0);
    const rows = await rowsOf(server);
    expect(rows.length).toBe(6);
    expect(count(rows, 'completed')).toBe(0);
  });
});

describe('what keeps it from starting is one clear line and exit code 1', () => {
  let running: RunningServer;
  const folders: string[] = [];
  beforeAll(async () => {
    running = await startServer();
  });
  afterAll(async () => {
    await running.stop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  async function serve(env: Record<string, string>, config?: string) {
    const folder = mkdtempSync(path.join(databaseFolder(), 'holdfast-test-'));
    folders.push(folder);
    chmodSync(folder, 0o711); // For root: PostgreSQL runs as another user, which has to pass.
    const dataDir = path.join(folder, 'data');
    // For what is found out only when the database runs.
    if (env['HOLDFAST_DATA_DIR'] === undefined && env['DATABASE_URL'] === undefined) await placeReadyCluster(dataDir);
    if (config !== undefined) writeFileSync(path.join(folder, 'holdfast.config.yaml'), config);
    const all = {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      HOLDFAST_PORT: '0',
      HOLDFAST_DATA_DIR: dataDir,
      LOG_JSON_FORMAT: 'true',
      ...env,
    };
    const { code, out, error } = await runCli(['serve'], folder, all);
    // Never a stack, whatever it was.
    expect(error).not.toMatch(/\n\s+at /);
    return { code, error, out };
  }

  /** Nothing but this on standard error. */
  const oneLine = (text: RegExp) => new RegExp(`^holdfast: [^\\n]*${text.source}[^\\n]*\\n$`);

  test.concurrent('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { code, error } = await serve({ HOLDFAST_PORT: String((other.address() as AddressInfo).port) });
    other.close();
    expect([code, error]).toEqual([1, expect.stringMatching(oneLine(/port cannot be used.*HOLDFAST_PORT/))]);
  });

  test.concurrent('a port for probes that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { code, error } = await serve({ HOLDFAST_HEALTH_PORT: String((other.address() as AddressInfo).port) });
    other.close();
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(oneLine(/port of the probes cannot be used.*HOLDFAST_HEALTH_PORT.*another program/)),
    ]);
  });

  test.concurrent('a host that this machine has not', async () => {
    const { code, error } = await serve({ HOLDFAST_HOST: '203.0.113.7' });
    expect([code, error]).toEqual([1, expect.stringMatching(oneLine(/port cannot be used/))]);
  });

  test.concurrent('a data folder that another server uses, which goes on undisturbed', async () => {
    const { code, error } = await serve({ HOLDFAST_DATA_DIR: running.dataDir });
    expect([code, error]).toEqual([1, expect.stringMatching(oneLine(/Another server is running on this data folder/))]);
    expect(await ready(running)).toBe(200);
  });

  test.concurrent.each(['/proc/holdfast', '/dev/null', '/dev/null/holdfast'])('a data folder that cannot be: %s', async (dataDir) => {
    const { code, error } = await serve({ HOLDFAST_DATA_DIR: dataDir });
    expect([code, error]).toEqual([1, expect.stringMatching(oneLine(/data folder cannot be used.*HOLDFAST_DATA_DIR/))]);
  });

  test.concurrent('a database that is not there', async () => {
    const { code, error } = await serve({
      DATABASE_URL: 'postgres://user:marked-password@127.0.0.1:1/x',
      HOLDFAST_MASTER_KEY: 'ab'.repeat(32),
    });
    expect([code, error]).toEqual([1, expect.stringMatching(oneLine(/cannot reach its database/))]);
    expect(error).not.toContain('marked-password');
  });

  test.concurrent('a log file that cannot be written', async () => {
    const { code, error } = await serve({ LOG_FILE: '/proc/holdfast/log' });
    expect([code, error]).toEqual([1, expect.stringMatching(oneLine(/log file/))]);
  });

  test.concurrent('a configuration with faults names all of them, and no secret', async () => {
    const config =
      'server: { prot: 1 }\nproviders: { a: { kind: nothing }, b: { kind: openai, apiKeyEnv: NOT_SET } }\nmodels: { m: { targets: [c/x], limts: {} } }\n';
    const { code, error, out } = await serve(
      { HOLDFAST_PORT: 'marked-port', HOLDFAST_PROT: '1', HOLDFAST_MASTER_KEY: 'marked-secret' },
      config,
    );
    expect(code).toBe(1);
    for (const name of [
      'HOLDFAST_PORT',
      'HOLDFAST_PROT',
      'HOLDFAST_MASTER_KEY',
      'server.prot',
      'nothing',
      'NOT_SET',
      'provider c',
      'limts',
    ])
      expect(error).toContain(name);
    expect(error + out).not.toContain('marked-secret');
    expect(error.split('\n').filter((line) => line.startsWith('  - ')).length).toBeGreaterThanOrEqual(8);
  });
});

describe('beside the running server', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());

  test('keys are made, shown and ended at the command line, and the server knows at once', async () => {
    const { server } = gateway;
    const made = await server.cli('keys', 'create', '--name', 'beside', '--scope', 'inference', '--model', 'fast');
    expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^hf_\w+\n$/)]);
    const key = made.out.trim();
    expect((await chat(gateway, false, key)).status).toBe(200);
    const listed = await server.cli('keys', 'list', '--json');
    const entry = (JSON.parse(listed.out) as { data: { id: string; name: string }[] }).data.find(({ name }) => name === 'beside')!;
    expect(listed.out).not.toContain(key);
    expect((await server.cli('keys', 'revoke', entry.id)).code).toBe(0);
    // Measured from when the command had ended; a machine under load is given the benefit of the doubt.
    await expect.poll(async () => (await chat(gateway, false, key)).status, { interval: 20, timeout: 1_500 }).toBe(401);
    const unknown = await server.cli(
      'keys',
      'revoke',
      entry.id.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    );
    expect([unknown.code, unknown.error]).toEqual([1, expect.stringMatching(/^holdfast: /)]);
  });

  test('calls are shown, and what clients wrote into them cannot write on the terminal', async () => {
    const body = JSON.stringify({ model: 'primary/\u001b[31mred\u001b]0;title\u0007\r\n', user: '\u001b[2J', messages });
    gateway.upstream.enqueue({});
    expect((await gateway.fetch('/v1/chat/completions', { method: 'POST', body })).status).toBe(200);
    const shown = await gateway.server.cli('usage', '--limit', '5');
    expect(shown.code).toBe(0);
    expect(shown.out).toContain('red');
    expect(shown.out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    const bad = await gateway.server.cli('usage', '--cursor', 'nonsense');
    expect([bad.code, bad.error]).toEqual([1, expect.stringContaining('cursor')]);
  });
});

describe('after a crash', () => {
  test('`kill -9` and a start at once: keys work, every whole answer has its row, and what was under way is interrupted', async () => {
    const gateway = await openGateway();
    const { server, upstream } = gateway;
    for (let calls = 0; calls < 5; calls++) expect((await chat(gateway, false)).status).toBe(200);
    upstream.script('gpt-4o-mini', { chunks: 10_000, spacingMs: 20 });
    const streams = await Promise.all(Array.from({ length: 3 }, () => chat(gateway, true)));
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    for (const stream of streams) await expect(stream.text()).rejects.toThrow();
    const next = await openGateway({ dataDir: server.dataDir, key: server.key });
    expect((await chat(next, false)).status).toBe(200);
    const rows = await rowsOf(next.server);
    expect([rows.length, count(rows, 'completed'), count(rows, 'interrupted')]).toEqual([9, 6, 3]);
    expect(next.server.output()).toContain('interrupted');
  });

  test('a server whose own database is killed says so and ends with 1; the next one has everything', async () => {
    const gateway = await openGateway({ env: { HOLDFAST_DRAIN_TIMEOUT_MS: '2000' } });
    const { server } = gateway;
    expect((await chat(gateway, false)).status).toBe(200);
    const pid = Number(/"pid":(\d+)[^\n]*the embedded database is running/.exec(server.output())![1]);
    process.kill(pid, 'SIGKILL');
    expect(await server.exited).toBe(1);
    expect(server.output()).toMatch(/"level":"fatal"[^\n]*the embedded database ended: the server stops/);
    const next = await openGateway({ dataDir: server.dataDir, key: server.key });
    expect((await chat(next, false)).status).toBe(200);
    expect(count(await rowsOf(next.server), 'completed')).toBe(2);
  });
});

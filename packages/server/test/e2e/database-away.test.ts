import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Evidence } from './support/evidence.ts';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const operatorKey = 'operator-bootstrap-key-0123456789-abcdef';

let postgres: TestDatabase;
let database: TestDatabase;
let proxy: DatabaseProxy;
let gateway: Gateway;
const evidence = new Evidence(() => gateway);
const masterKey = randomBytes(32).toString('hex');
function common() {
  const { target } = proxy;
  if (target.kind !== 'url') throw new Error('the proxy has a URL');
  return { DATABASE_URL: target.url, HOLDFAST_MASTER_KEY: masterKey, HOLDFAST_BOOTSTRAP_KEY: operatorKey, LOG_LEVEL: 'debug' };
}
/** Who is told of alerts, and what they were told. */
let hook: Server;
const told: string[] = [];
beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.createDatabase({ migrated: false });
  proxy = await startDatabaseProxy(database.target);
  hook = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { type, data } = JSON.parse(text) as { type: string; data: { rule: string; alerts: { labels: object }[] } };
      told.push(`${type} ${data.rule} ${JSON.stringify(data.alerts[0]?.labels)}`);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway({
    alerts: {
      intervalMs: 1_000,
      webhookUrl: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`,
      webhookSecret: `whsec_${randomBytes(32).toString('base64')}`,
      rules: { 'dependency-down': { forMs: 0, resolveAfterMs: 0 } },
    },
    env: common(),
  });
});
afterAll(async () => {
  await gateway.stop();
  hook.close();
  await proxy.stop();
  await postgres.stop();
});
beforeEach(async () => {
  proxy.restore();
  gateway.upstream.reset();
  await untilItServes();
});

async function startStream(id: string): Promise<Response> {
  const body = JSON.stringify({ model: 'fast', stream: true, messages: [{ role: 'user', content: 'hi' }] });
  const stream = await gateway.fetch('/v1/chat/completions', { method: 'POST', headers: { 'x-request-id': id }, body });
  expect(stream.status).toBe(200);
  return stream;
}

const readiness = async () => (await evidence.send('/health/ready', { key: null })).status;
const codeOf = ({ status, json }: { status: number; json: any }) => (status === 200 ? 'ok' : (json.error.reason ?? json.error.code));

async function untilItServes(): Promise<void> {
  await expect.poll(async () => (await evidence.chat('fast')).status, { timeout: 15_000, interval: 50 }).toBe(200);
  await expect.poll(readiness, { timeout: 5_000 }).toBe(200);
  gateway.upstream.reset();
}

test('that the database is gone is told while it is gone, once, and its end when it is back', async () => {
  const ofDatabase = () =>
    told.filter((line) => line.endsWith('dependency-down {"dependency":"database"}')).map((line) => line.split(' ')[0]);
  proxy.cut();
  void evidence.chat('fast');
  await expect.poll(ofDatabase, { timeout: 15_000 }).toEqual(['alert.firing']);
  proxy.restore();
  await untilItServes();
  await expect.poll(ofDatabase, { timeout: 15_000 }).toEqual(['alert.firing', 'alert.resolved']);
  // Whoever looks at what is stored sees it as well: the instance has brought there what it knew by itself.
  const page = (await evidence.send('/api/alerts?rule=dependency-down')).json as { data: { status: string }[] };
  expect(page.data.map(({ status }) => status)).toEqual(['resolved']);
});

test('a database that is gone: not ready with the first call that meets it, further calls cost nothing, none ends as if it were recorded, and all comes back by itself', async () => {
  gateway.upstream.enqueue({ chunks: 20, spacingMs: 20 });
  const stream = await startStream(requestId());
  const streamed = stream.text();
  proxy.cut();
  // This one may have been sent before anybody could know: it is the one that finds out.
  const discovering = evidence.chat('fast');
  await expect.poll(readiness, { timeout: 1_000, interval: 10 }).toBe(503);
  const spent = gateway.upstream.calls.length;
  expect(spent).toBeLessThanOrEqual(2);
  for (const stream of [false, true]) {
    for (const path of ['/v1/chat/completions', '/v1/messages']) {
      const refused = await evidence.post(path, { model: 'fast', stream, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] });
      expect([refused.status, codeOf(refused)]).toEqual([503, 'ledger_unavailable']);
      expect(refused.headers.get('retry-after')).toBe('1');
    }
  }
  expect(codeOf(await evidence.send('/api/usage'))).toBe('database_unavailable');
  expect(codeOf(await evidence.post('/api/keys', { name: 'x' }))).toBe('database_unavailable');
  expect((await evidence.send('/health/live')).status).toBe(200);
  // Its answer is withheld, not given unrecorded.
  expect(codeOf(await discovering)).toBe('ledger_unavailable');
  const text = await streamed;
  expect(text).toContain('"code":"ledger_unavailable"');
  expect(text).not.toMatch(/\[DONE\]|"finish_reason":"stop"/);
  expect(gateway.upstream.calls).toHaveLength(spent);
  proxy.restore();
  await untilItServes();
});

test('a database that is away for a moment costs a stream nothing: it ends whole, with its row', async () => {
  gateway.upstream.script('gpt-4o-mini', { chunks: 20, spacingMs: 20 });
  const id = requestId();
  const stream = await startStream(id);
  proxy.cut();
  await gateway.upstream.waitFor(([call]) => call?.outcome === 'whole');
  proxy.restore();
  const text = await stream.text();
  expect([text.includes('word19'), text.includes('data: [DONE]')]).toEqual([true, true]);
  expect(await gateway.rowsOf(id)).toMatchObject([{ outcome: 'completed' }]);
  await untilItServes();
});

test('a database that falls silent holds no call longer than its patience, and then none is sent', async () => {
  proxy.freeze();
  expect(codeOf(await evidence.chat('fast'))).toBe('ledger_unavailable');
  await expect.poll(readiness, { timeout: 1_000, interval: 10 }).toBe(503);
  gateway.upstream.reset();
  expect(codeOf(await evidence.chat('fast'))).toBe('ledger_unavailable');
  expect(gateway.upstream.calls).toEqual([]);
  proxy.cut();
  proxy.restore();
  await untilItServes();
});

test('a stream whose intent takes its time loses no byte', async () => {
  for (const [model, path] of [
    ['fast', '/v1/chat/completions'],
    ['fast', '/v1/messages'],
    ['smart', '/v1/chat/completions'],
    ['lab/demo?tokens=200', '/v1/chat/completions'],
    ['lab/demo?tokens=200', '/v1/messages'],
  ]) {
    gateway.upstream.script('gpt-4o-mini', { chunks: 500 });
    gateway.upstream.script('claude-sonnet-4-5', { chunks: 500 });
    const send = () => evidence.post(path!, { model, stream: true, max_tokens: 10_000, messages: [{ role: 'user', content: 'hi' }] });
    const contents = (text: string) => [...text.matchAll(/"(?:content|text)":"((?:[^"\\]|\\.)+)"/g)].map((match) => match[1]).join('');
    const plain = contents((await send()).text);
    expect(plain.length).toBeGreaterThan(100);
    await database.asSuperuser('begin');
    await database.asSuperuser('lock table holdfast.call_intents in access exclusive mode');
    const slow = send();
    await expect.poll(() => database.asSuperuser('select pid from pg_locks where not granted')).not.toEqual([]);
    await database.asSuperuser('commit');
    expect(contents((await slow).text)).toBe(plain);
  }
});

describe('with a disk to record calls on', () => {
  let spilling: Gateway;
  let folder: string;
  const seen = new Evidence(() => spilling);
  const env = () => ({ ...common(), HOLDFAST_SPILL_DIR: folder });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-e2e-spill-'));
    spilling = await startGateway({ env: env() });
  });
  afterAll(async () => {
    await spilling.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const spillOf = async () => {
    const report = (await seen.send('/health/detailed')).json as { dependencies: { name: string; status: string }[] };
    return report.dependencies.find(({ name }) => name === 'spill')?.status;
  };
  const ask = async (path: string, stream: boolean, id: string) => {
    const body = JSON.stringify({ model: 'fast', stream, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] });
    const response = await spilling.fetch(path, { method: 'POST', headers: { 'x-request-id': id }, body });
    return { status: response.status, text: await response.text() };
  };
  const whole = ({ status, text }: { status: number; text: string }) =>
    status === 200 && /\[DONE\]|message_stop|"finish_reason":"stop"|"stop_reason":"end_turn"/.test(text);

  test('a database that is gone costs no call anything: all are whole, and in the ledger once when it is back', async () => {
    expect(await ask('/v1/chat/completions', false, requestId()).then(whole)).toBe(true);
    spilling.upstream.script('gpt-4o-mini', { chunks: 20, spacingMs: 20 });
    const across = requestId();
    const running = ask('/v1/chat/completions', true, across);
    await spilling.upstream.waitFor((calls) => calls.length > 0);
    proxy.cut();
    const ids = [across];
    const answers = [running];
    for (const stream of [false, true])
      for (const path of ['/v1/chat/completions', '/v1/messages']) {
        ids.push(requestId());
        answers.push(ask(path, stream, ids.at(-1)!));
      }
    expect((await Promise.all(answers)).map(whole)).toEqual(ids.map(() => true));
    // It serves, so whoever asks where to send work is told so; what needs the database says that it is away.
    expect((await seen.send('/health/ready', { key: null })).status).toBe(200);
    expect(codeOf(await seen.send('/api/usage'))).toBe('database_unavailable');
    const metrics = await (await spilling.fetch('/metrics')).text();
    expect(metrics).toMatch(/^holdfast_ledger_spill_active 1$/m);
    expect(metrics).toMatch(/^holdfast_ledger_available 1$/m);
    await expect.poll(spillOf, { timeout: 8_000 }).toBe('degraded');
    proxy.restore();
    await expect
      .poll(async () => (await (await spilling.fetch('/metrics')).text()).match(/^holdfast_ledger_spill_bytes (\d+)$/m)?.[1], {
        timeout: 15_000,
      })
      .toBe('0');
    for (const id of ids) expect(await spilling.rowsOf(id)).toMatchObject([{ outcome: 'completed' }]);
    expect(spilling.server.output()).toContain('the database is away: calls are served, and recorded on this disk until it is back');
    expect(spilling.server.output()).toContain('the records of calls on this disk are in the database now');
  });

  test('a stop while the database is away loses nothing and waits for nobody: the next start brings home what was kept', async () => {
    const id = requestId();
    proxy.cut();
    expect(whole(await ask('/v1/chat/completions', false, id))).toBe(true);
    expect(await spilling.stop()).toBeUndefined();
    expect(readdirSync(folder).filter((name) => name.endsWith('.spill'))).toHaveLength(1);
    proxy.restore();
    spilling = await startGateway({ env: env() });
    expect(await spilling.rowsOf(id)).toMatchObject([{ outcome: 'completed' }]);
    expect(spilling.server.output()).toContain('an earlier process had left records of calls on this disk');
  });

  test('a second process is not let into the folder of the first', async () => {
    await expect(startGateway({ env: env() })).rejects.toThrow(/data_folder_in_use|held by another running server/);
  });

  test('nothing of all this told a secret', () => {
    seen.expectClean([operatorKey, 'sk-upstream-secret', 'sk-ant-upstream-secret']);
  });
});

test('nothing of all this told a secret', () => {
  evidence.expectClean([operatorKey, 'sk-upstream-secret', 'sk-ant-upstream-secret']);
});

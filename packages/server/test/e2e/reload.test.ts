import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ConfigurationStateBody, ReloadReportBody } from '@holdfast/contracts';
import { startScriptedUpstream, type ScriptedUpstream } from '@holdfast/kit/testing';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runCli, startServer, type RunningServer } from '../support/server.ts';

let upstream: ScriptedUpstream;
let backup: ScriptedUpstream;
let server: RunningServer;

beforeAll(async () => {
  [upstream, backup] = await Promise.all([startScriptedUpstream(), startScriptedUpstream()]);
  server = await startServer({ config: configuration() });
});
afterAll(async () => {
  await server.stop();
  await Promise.all([upstream.close(), backup.close()]);
});

interface Changes {
  readonly providers?: Record<string, object>;
  readonly models?: Record<string, object>;
  readonly [section: string]: unknown;
}

function configuration({ providers, models, ...rest }: Changes = {}): Record<string, unknown> {
  return {
    providers: { primary: { kind: 'openai', baseUrl: upstream.openaiBaseUrl, apiKey: 'sk-primary' }, ...providers },
    models: { fast: { targets: ['primary/gpt-4o-mini'] }, ...models },
    // These tests make more calls in a second than the default lets one address make in a minute.
    rateLimits: { enabled: false },
    ...rest,
  };
}

const withBackup = {
  backup: {
    kind: 'openai',
    get baseUrl() {
      return backup.openaiBaseUrl;
    },
    apiKey: 'sk-backup',
  },
};
const configFile = (of: RunningServer = server) => path.join(of.folder, 'holdfast.config.yaml');

/** Changes the file at once, as the guide says to. */
function write(changes: Changes | string, of: RunningServer = server): void {
  writeFileSync(`${configFile(of)}.new`, typeof changes === 'string' ? changes : JSON.stringify(configuration(changes)));
  renameSync(`${configFile(of)}.new`, configFile(of));
}

const send = (url: string, init: RequestInit = {}, of: RunningServer = server) =>
  fetch(of.url + url, { ...init, headers: { authorization: `Bearer ${of.key}`, ...init.headers } });

async function reload(of: RunningServer = server): Promise<{ status: number; body: any }> {
  const answer = await send('/api/reload', { method: 'POST' }, of);
  return { status: answer.status, body: await answer.json() };
}

async function applied(changes: Changes): Promise<ReloadReportBody> {
  write(changes);
  const { status, body } = await reload();
  expect([status, body]).toEqual([200, expect.objectContaining({ result: expect.any(String) })]);
  return body as ReloadReportBody;
}

const state = async () => (await (await send('/api/configuration')).json()) as ConfigurationStateBody;
const openai = (of: RunningServer = server) => new OpenAI({ baseURL: `${of.url}/v1`, apiKey: of.key, maxRetries: 0 });
const ask = (model: string, of: RunningServer = server) =>
  openai(of).chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }] });
const metric = async (name: string) =>
  Number(new RegExp(`^${name.replaceAll(/[{}]/g, '\\$&')} (.*)$`, 'm').exec(await (await send('/metrics')).text())?.[1]);

test('models, providers, keys and prices change without a restart, by name and never by value', async () => {
  await applied({});
  const before = await state();
  await expect(ask('smart')).rejects.toMatchObject({ status: 404 });
  const report = await applied({
    providers: { ...withBackup, primary: { kind: 'openai', baseUrl: upstream.openaiBaseUrl, apiKey: 'sk-exchanged' } },
    models: { smart: { targets: ['backup/gpt-4o'] } },
    prices: { openai: { 'gpt-4o': { input: 1_000, output: 1_000 } } },
    server: { port: 1 },
  });
  expect(report).toMatchObject({
    result: 'applied',
    changes: {
      providers: { added: ['backup'], removed: [], changed: ['primary'] },
      models: { added: ['smart'], removed: [], changed: [] },
      prices: { added: ['openai/gpt-4o'], removed: [], changed: [] },
    },
    instance: { pid: server.pid },
  });
  expect(JSON.stringify(report)).not.toMatch(/sk-/);
  expect((await ask('smart')).object).toBe('chat.completion');
  expect(backup.calls.at(-1)!.headers['authorization']).toBe('Bearer sk-backup');
  await ask('fast');
  expect(upstream.calls.at(-1)!.headers['authorization']).toBe('Bearer sk-exchanged');
  const usage = (await (await send('/api/usage?limit=2')).json()) as {
    data: { model_asked: string; cost_nano_usd: number; prompt_tokens: number; completion_tokens: number }[];
  };
  const smart = usage.data.find((row) => row.model_asked === 'smart')!;
  expect(smart.cost_nano_usd).toBe((smart.prompt_tokens + smart.completion_tokens) * 1_000_000);
  expect((await openai().models.list()).data.map(({ id }) => id)).toEqual(['fast', 'smart']);

  const after = await state();
  expect(after.digest).toBe(report.digest);
  expect(after.digest).not.toBe(before.digest);
  await applied({});
  expect((await state()).digest).toBe(before.digest);
  await expect(ask('backup/gpt-4o')).rejects.toMatchObject({ status: 404 });
});

test('limits change without a restart, at the door and for models, and one of a route that there is not changes nothing', async () => {
  await applied({});
  const tooMany = (answer: Response) => [answer.status, answer.headers.get('ratelimit-policy')];
  const limited = {
    models: { scarce: { targets: ['primary/gpt-4o-mini'], rateLimits: { requestsPerMinute: 1 } } },
    rateLimits: { levels: { global: false, ip: false }, endpoints: { 'GET /api/usage': { requestsPerMinute: 1 } }, tiers: { gold: {} } },
  };
  expect((await send('/api/usage')).headers.get('ratelimit-policy')).toBeNull();
  const report = await applied(limited);
  expect(report.changes.rate_limits).toEqual({
    added: ['endpoints.GET /api/usage', 'tiers.gold'],
    removed: ['levels.global', 'levels.ip'],
    changed: ['enabled'],
  });
  expect(report.restart_required).toEqual([]);
  expect((await send('/api/usage')).status).toBe(200);
  expect(tooMany(await send('/api/usage'))).toEqual([429, '"endpoint-get-api-usage-minute";q=1;w=60']);
  await ask('scarce');
  await expect(ask('scarce')).rejects.toMatchObject({ status: 429 });

  const wrong = { ...limited, rateLimits: { endpoints: { 'GET /api/usages': { requestsPerMinute: 5 } } } };
  write(wrong);
  expect((await reload()).status).toBe(422);
  expect((await send('/api/usage')).status).toBe(429);

  await applied({ ...limited, rateLimits: { ...limited.rateLimits, shadow: true } });
  expect((await send('/api/usage')).status).toBe(200);
  await ask('scarce');
  await applied({});
  expect((await send('/api/usage')).headers.get('ratelimit-policy')).toBeNull();
});

test('a setting that only a start can change is named, and keeps nothing else from changing', async () => {
  // The environment of these tests says where the data are and which port; the file alone says the rest.
  const report = await applied({
    models: { other: { targets: ['primary/x'] } },
    log: { level: 'debug', maxFiles: 3 },
    cors: { origins: ['https://a.example'] },
  });
  expect(report.restart_required).toEqual(['cors.origins', 'log.maxFiles']);
  expect(report.changes.models.added).toEqual(['other']);
  expect((await state()).restart_required).toEqual(['cors.origins', 'log.maxFiles']);
  // The one setting of the log that does not wait.
  expect(report.changes.log.changed).toEqual(['level']);
  expect(await (await send('/api/log-level')).json()).toEqual({ level: 'debug', configured: 'debug', until: null });
  expect((await ask('other')).object).toBe('chat.completion');
  expect((await applied({})).restart_required).toEqual([]);
});

describe('a configuration that cannot be used', () => {
  const files: Record<string, () => void> = {
    'with two faults': () => write({ models: { a: { targets: ['nobody/x'] }, b: { tragets: [] } } }),
    'that breaks off in the middle': () => write(JSON.stringify(configuration()).slice(0, -10)),
    'that is empty': () => write(''),
    'that is gone': () => rmSync(configFile()),
    'that is a folder of bytes': () => writeFileSync(configFile(), Buffer.from([0xff, 0xfe, 0x00])),
  };
  test.each(Object.keys(files))('%s is refused with 422 and everything stays', async (name) => {
    await applied({});
    const before = await state();
    const rejected = await metric('holdfast_config_reloads_total{result="rejected"}');
    files[name]!();
    const { status, body } = await reload();
    expect([status, body.error.reason]).toEqual([422, 'configuration_rejected']);
    expect(body.error.details.faults.length).toBeGreaterThanOrEqual(name === 'with two faults' ? 3 : 1);
    for (const fault of body.error.details.faults)
      expect(fault).toMatchObject({ where: expect.stringContaining('holdfast.config.yaml'), problem: expect.any(String) });
    expect(JSON.stringify(body)).not.toMatch(/sk-/);
    expect(await state()).toEqual(before);
    expect((await ask('fast')).object).toBe('chat.completion');
    expect(await metric('holdfast_config_reloads_total{result="rejected"}')).toBe(rejected + 1);
    expect((await applied({})).result).toBe('unchanged');
  });
});

test('a call in progress ends on what it began with, although its model and provider are gone', async () => {
  await applied({ providers: withBackup, models: { long: { targets: ['backup/slow'] } } });
  backup.script('slow', { chunks: 6, spacingMs: 60 });
  const stream = await openai().chat.completions.create({ model: 'long', stream: true, messages: [{ role: 'user', content: 'Hello' }] });
  const pieces = stream[Symbol.asyncIterator]();
  await pieces.next();
  await applied({});
  await expect(ask('long')).rejects.toMatchObject({ status: 404 });
  let text = '';
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) text += next.value.choices[0]?.delta.content ?? '';
  expect(text).toContain('word5');
  expect(backup.calls.at(-1)!.outcome).toBe('whole');
});

test('no call fails while the configuration changes under it again and again', async () => {
  await applied({ models: { moving: { targets: ['primary/gpt-4o-mini'] } } });
  upstream.script('gpt-4o-mini', { chunks: 3, firstTokenDelayMs: 5 });
  backup.script('gpt-4o-mini', { chunks: 3, firstTokenDelayMs: 5 });
  let over = false;
  const failures: unknown[] = [];
  let calls = 0;
  const client = openai();
  const callers = Array.from({ length: 4 }, async (_, index) => {
    while (!over) {
      const request = { model: 'moving', messages: [{ role: 'user' as const, content: 'Hello' }] };
      try {
        if (index % 2 === 0) await client.chat.completions.create(request);
        else for await (const _piece of await client.chat.completions.create({ ...request, stream: true }));
        calls++;
      } catch (error) {
        failures.push(error);
      }
    }
  });
  for (let round = 0; round < 8; round++) {
    const where = round % 2 === 0 ? 'backup' : 'primary';
    const report = await applied({
      providers: where === 'backup' ? withBackup : {},
      models: { moving: { targets: [`${where}/gpt-4o-mini`] } },
    });
    expect(report.result).toBe('applied');
  }
  over = true;
  await Promise.all(callers);
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(20);
  expect(backup.calls.length).toBeGreaterThan(5);
});

test('reloads that are asked for at once are one after the other, and all are answered', async () => {
  write({ models: { at_once: { targets: ['primary/x'] } } });
  const answers = await Promise.all(Array.from({ length: 10 }, () => reload()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(answers.filter(({ body }) => body.result === 'applied').length).toBeGreaterThan(0);
  expect(new Set(answers.map(({ body }) => body.digest)).size).toBe(1);
  expect((await ask('at_once')).object).toBe('chat.completion');
});

describe('`holdfast reload`', () => {
  const cli = (...words: string[]) =>
    runCli(words, server.folder, {
      PATH: process.env['PATH'],
      HOME: server.folder,
      HOLDFAST_BASE_URL: server.url,
      HOLDFAST_API_KEY: server.key,
    });

  test('does the same by the command line, names the instance, and ends with 1 and all faults when it is refused', async () => {
    await applied({});
    write({ models: { by_command: { targets: ['primary/x'] } } });
    const ran = await cli('reload');
    expect([ran.code, ran.error]).toEqual([0, '']);
    expect(ran.out).toMatch(
      new RegExp(`at .* \\(process ${server.pid}\\)\\.\\n  models added: by_command\\nDigest: ${(await state()).digest}\\n$`),
    );
    expect((await ask('by_command')).object).toBe('chat.completion');

    write({ models: { a: { targets: ['nobody/x'] }, b: { tragets: [] } } });
    const refused = await cli('reload');
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.error).toMatch(/^holdfast: The new configuration has faults/);
    expect(refused.error.match(/^ {2}- .*holdfast\.config\.yaml:\d+/gm)!.length).toBeGreaterThanOrEqual(3);
    expect((await applied({})).changes.models.removed).toEqual(['by_command']);
  });
});

test('only an operator may reload, or see the digest', async () => {
  const made = await send('/api/keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'caller', scopes: ['inference', 'keys:write'] }),
  });
  const { key } = (await made.json()) as { key: string };
  for (const [url, method] of [
    ['/api/reload', 'POST'],
    ['/api/configuration', 'GET'],
  ] as const) {
    expect((await send(url, { method, headers: { authorization: `Bearer ${key}` } })).status).toBe(403);
    expect((await fetch(server.url + url, { method })).status).toBe(401);
  }
});

describe('SIGHUP', () => {
  const lines = (of: RunningServer, text: string) =>
    of
      .output()
      .split('\n')
      .filter((line) => line.includes(text));

  test('reloads, and says in the log what changed; faults are one line there too, and the server goes on', async () => {
    await applied({});
    write({ models: { signalled: { targets: ['primary/x'] } } });
    process.kill(server.pid, 'SIGHUP');
    await expect
      .poll(
        () =>
          ask('signalled').then(
            ({ object }) => object,
            () => undefined,
          ),
        { timeout: 5_000 },
      )
      .toBe('chat.completion');
    const digestNow = (await state()).digest;
    // Lines come by a pipe, and may be a moment behind what they tell of.
    await expect.poll(() => lines(server, 'the configuration was reloaded').at(-1), { timeout: 5_000 }).toContain('SIGHUP');
    expect(JSON.parse(lines(server, 'the configuration was reloaded').at(-1)!)).toMatchObject({
      by: [{ kind: 'signal', signal: 'SIGHUP' }],
      changes: { models: { added: ['signalled'] } },
      digest: digestNow,
    });

    const told = lines(server, 'has faults: the old one stays in force').length;
    write('models: { fast: 1 }');
    process.kill(server.pid, 'SIGHUP');
    await expect.poll(() => lines(server, 'has faults: the old one stays in force').length, { timeout: 5_000 }).toBe(told + 1);
    expect(JSON.parse(lines(server, 'has faults').at(-1)!)).toMatchObject({
      level: 'error',
      faults: [{ where: expect.stringContaining('holdfast.config.yaml:1') }],
    });
    expect((await ask('signalled')).object).toBe('chat.completion');
    await applied({});
  });

  test('a storm of them, during start, service and stop, neither kills the server nor a call', { timeout: 20_000 }, async () => {
    let storm: NodeJS.Timeout | undefined;
    const signals = { sent: 0 };
    const stormed = await startServer({
      config: configuration(),
      onSpawn(child) {
        // From its first word on, which is about the database: before the program's own first line, Node does not listen to it.
        child.stdout!.once('data', () => {
          storm = setInterval(() => void (child.kill('SIGHUP') && signals.sent++), 10);
        });
      },
    });
    onTestFinished(() => clearInterval(storm));
    expect(signals.sent).toBeGreaterThan(5);
    upstream.script('gpt-4o-mini', { chunks: 3, firstTokenDelayMs: 5 });
    for (let calls = 0; calls < 20; calls++) expect((await ask('fast', stormed)).object).toBe('chat.completion');
    upstream.script('gpt-4o-mini', { chunks: 10_000, spacingMs: 20 });
    const stream = await openai(stormed).chat.completions.create({
      model: 'fast',
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    });
    const pieces = stream[Symbol.asyncIterator]();
    await pieces.next();
    stormed.process.kill('SIGTERM');
    await expect.poll(() => stormed.output(), { timeout: 10_000 }).toContain('no reload: the server is stopping');
    // It runs on while the server drains under the signals, and no reload or signal has cut it.
    for (let more = 0; more < 5; more++) expect((await pieces.next()).done).toBe(false);
    // Only now: Node gives its listeners up a moment before the process is gone, when everything is closed already.
    clearInterval(storm);
    stream.controller.abort();
    expect(await stormed.exited).toBe(0);
    expect(stormed.output()).toContain('the reload will follow the start');
    await stormed.stop();
  });
});

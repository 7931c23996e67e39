import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HttpRequestFinished } from '../../events/index.ts';
import { HoldfastError } from '../../errors/index.ts';
import { createFakeClock, type FakeClock } from '../../testing/index.ts';
import { toLine } from './access-line.ts';
import { createAccessLog, createLogger, redactLine, toLogLevel } from './index.ts';

const key = 'hf_7q2m8dkx0v5n3c9wz4t1r6y8b2e7g0j5s3h9af';

async function collect(options: { level?: string; json?: boolean; file?: string; clock?: FakeClock } = {}) {
  let text = '';
  const log = await createLogger({ clock: createFakeClock(), sink: { write: (line) => void (text += line) }, ...options });
  return {
    log,
    logger: log.logger,
    text: () => text,
    lines: () =>
      text
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}

describe('levels', () => {
  test.each([
    ['DEBUG', 'debug'],
    ['Warning', 'warn'],
    ['CRITICAL', 'fatal'],
    ['fatal', 'fatal'],
    ['trace', 'trace'],
    ['silent', 'silent'],
  ])('%s is %s', (given, level) => expect(toLogLevel(given)).toBe(level));

  test('an unknown level is a fault of the configuration', () => {
    expect(() => toLogLevel('loud')).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
  });

  test('lines below the level are not written', async () => {
    const { logger, lines } = await collect({ level: 'CRITICAL' });
    logger.error('no');
    logger.fatal('yes');
    expect(lines()).toMatchObject([{ level: 'fatal', msg: 'yes' }]);
  });
});

describe('secrets', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['in a member of any depth', { request: { headers: { Authorization: 'Basic dXNlcjpodW50ZXIy' } } }, 'dXNlcjpodW50ZXIy'],
    ['in a list of values', { headers: { 'set-cookie': ['session=hunter2', 'b=c'] } }, 'hunter2'],
    ['in x-api-key', { 'x-api-key': 'hunter2' }, 'hunter2'],
    ['in JSON inside a string', { body: JSON.stringify({ password: 'hunter2', nested: JSON.stringify({ token: 'hunter2' }) }) }, 'hunter2'],
    ['that hold quotes', { apiKey: 'a"hunter2"b\\' }, 'hunter2'],
    ['of ours in a message', { note: `key ${key} was used` }, key.slice(8)],
    ['of a provider in a path', { path: '/v1/sk-proj-abcdefghijklmnopqrstuv' }, 'abcdefghijklmnop'],
    ['after Bearer', { curl: `curl -H 'authorization: Bearer hunter2hunter2'` }, 'hunter2'],
    ['in a database URL', { url: 'postgres://holdfast:hunter2@db.internal/holdfast' }, 'hunter2'],
  ])('%s are not written', async (_where, fields, secret) => {
    const { logger, text, lines } = await collect();
    logger.info(fields, 'message');
    expect(text()).not.toContain(secret);
    expect(text()).toMatch(/\[(?:secret|api_key|bearer_token|connection_string)\]/);
    expect(lines()).toHaveLength(1);
  });

  test('of an error’s message, stack and causes are not written', async () => {
    const { logger, text } = await collect();
    logger.error(
      { err: new HoldfastError('provider_auth_failed', { detail: `refused ${key}`, cause: new Error(`because of ${key}`) }) },
      `refused ${key}`,
    );
    expect(text()).not.toContain(key);
    expect(text()).toContain('because of [api_key]');
  });

  test('and personal data are taken out of free text, paths and members', async () => {
    const { logger, text, lines } = await collect();
    logger.info(
      { path: '/users/bob%40example.com', note: 'paid with 4111 1111 1111 1111', pan: 4111111111111111, iban: ['DE89370400440532013000'] },
      'to bob@example.com, tel. 0171 2345678',
    );
    expect(lines()).toMatchObject([
      { path: '/users/[email]', note: 'paid with [card]', pan: '[card]', iban: ['[iban]'], msg: 'to [email], tel. [phone]' },
    ]);
    expect(text()).not.toMatch(/4111|bob|DE89|0171/);
  });

  test('are found whatever stands where level and time do', () => {
    for (const line of [
      `{"level":"info","time":"${key}","msg":"x"}`,
      `{"level":"info","time":"2026-11-20T00:00:00.000Z ${key}","msg":"x"}`,
      `{"level":"${key}","time":"2026-11-20T00:00:00.000Z","msg":"x"}`,
      `{"level":"info","time":"2026-11-20T00:00:00.000Z","msg":"${key}"}`,
      `{"level":"info","msg":"${key}","time":"2026-11-20T00:00:00.000Z"}`,
    ])
      expect(redactLine(line), line).not.toContain(key);
    const line = '{"level":"info","time":"2026-11-20T00:00:00.000Z","password":"hunter2"}';
    expect(JSON.parse(redactLine(line))).toEqual({ level: 'info', time: '2026-11-20T00:00:00.000Z', password: '[secret]' });
  });

  test('words that only look similar stay', () => {
    const line =
      '{"prompt_tokens":12,"key_id":"019a9c5a-7d40","prefix":"hf_7q2m8d","tokens":{"prompt":1},"url":"http://127.0.0.1:9100/v1"}';
    expect(redactLine(line)).toBe(line);
  });
});

test('errors are written with code, stack and causes', async () => {
  const { logger, lines } = await collect();
  logger.error({ err: new HoldfastError('database_unavailable', { detail: 'pool is empty', cause: new Error('ECONNREFUSED') }) }, 'failed');
  expect(lines()[0]).toMatchObject({
    level: 'error',
    time: '2026-01-01T00:00:00.000Z',
    err: {
      message: 'pool is empty',
      code: 'database_unavailable',
      stack: expect.stringContaining('log.test'),
      cause: { message: 'ECONNREFUSED' },
    },
  });
});

test('a line for people has the message and no secret', async () => {
  const { logger, text } = await collect({ json: false });
  logger.warn({ authorization: 'hunter2' }, 'careful');
  expect(text()).toMatch(/WARN.*careful/);
  expect(text()).not.toContain('hunter2');
});

test('a file gets every line as well, in a folder that is made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  try {
    const file = join(folder, 'logs', 'holdfast.log');
    const { log, logger, text } = await collect({ file });
    logger.info('both');
    await log.flush();
    expect(readFileSync(file, 'utf8')).toBe(text());
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('lines reach the file without anybody asking', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  try {
    const file = join(folder, 'holdfast.log');
    const clock = createFakeClock();
    const { logger } = await createLogger({ clock, sink: { write() {} }, file });
    for (const message of ['first', 'second']) {
      logger.info(message);
      clock.advance(50);
      await expect.poll(() => readFileSync(file, 'utf8')).toContain(message);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('lines of every length reach the file whole and in their order, as UTF-8', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  try {
    const file = join(folder, 'all.log');
    const log = await createLogger({ clock: createFakeClock(), sink: { write() {} }, file });
    const texts = ['short', 'ä€😀'.repeat(9_000), 'a lone \ud83d half', 'x'.repeat(300_000), '', 'é'.repeat(43_000), '😀', 'last'];
    for (const text of texts) log.writeLine(`${text}\n`);
    await log.flush();
    expect(readFileSync(file, 'utf8')).toBe(`${texts.join('\n')}\n`.toWellFormed());
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file that cannot be written is complained of once and stops nothing', async () => {
  const { log, logger, lines } = await collect({ file: '/dev/full' });
  logger.info('first');
  await log.flush();
  logger.info('second');
  await log.flush();
  const messages = lines().map(({ msg }) => msg);
  expect(messages).toContain('first');
  expect(messages).toContain('second');
  expect(messages.filter((message) => message === 'the log file cannot be written')).toHaveLength(1);
});

test.skipIf(process.platform !== 'linux')(
  'a disk that was full and has room again has what waited, and the log says what did not find room',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
    try {
      const [file, real] = [join(folder, 'log'), join(folder, 'real')];
      symlinkSync('/dev/full', file);
      const clock = createFakeClock();
      const { log, logger, lines } = await collect({ file, clock });
      const failures = () => lines().filter(({ msg }) => msg === 'the log file cannot be written').length;
      logger.info('while it is full');
      await log.flush();
      for (let at = 0; at < 200; at++) log.writeLine(`{"msg":"${'x'.repeat(100_000)}"}\n`);
      await log.flush();
      expect(failures()).toBe(1);

      rmSync(file);
      symlinkSync(real, file);
      for (let at = 0; at < 3; at++) {
        clock.advance(1_000);
        logger.info(`after ${at}`);
        await log.flush();
      }
      const written = readFileSync(real, 'utf8');
      for (const message of ['while it is full', 'after 2', 'the log file is written again']) expect(written).toContain(message);
      const recovery = lines().find(({ msg }) => msg === 'the log file is written again');
      const kept = written.split('\n').filter((line) => line.includes('xxx')).length;
      expect(recovery.dropped_lines).toBe(200 - kept);
      expect(kept).toBeGreaterThan(50);
      expect(kept).toBeLessThan(100);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test.skipIf(process.platform !== 'linux')(
  'a file in a folder that cannot be made is a fault of the configuration, told at once',
  async () => {
    await expect(collect({ file: '/proc/holdfast/log' })).rejects.toMatchObject({ code: 'configuration_invalid' });
  },
);

describe('access line', () => {
  const event: HttpRequestFinished = {
    requestId: 'r-1',
    method: 'POST',
    route: '/v1/chat/completions',
    path: '/v1/chat/completions',
    status: 200,
    latencyMs: 12.3456,
    requestBytes: 300,
    responseBytes: 900,
    client: 'ip_0123456789abcdef',
    organizationId: 'o-1',
    keyId: 'k-1',
    userId: undefined,
    errorCode: undefined,
    errorCategory: undefined,
    notes: undefined,
  };

  test('is one line of JSON with what is known of the request', () => {
    const line = toLine(event, 0);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual({
      level: 'info',
      time: '1970-01-01T00:00:00.000Z',
      msg: 'request',
      request_id: 'r-1',
      method: 'POST',
      path: '/v1/chat/completions',
      route: '/v1/chat/completions',
      status: 200,
      latency_ms: 12.346,
      request_bytes: 300,
      response_bytes: 900,
      client: 'ip_0123456789abcdef',
      organization_id: 'o-1',
      key_id: 'k-1',
    });
  });

  test('a path cannot forge a line or carry a key', () => {
    const line = toLine({ ...event, route: undefined, path: `/"}\n{"level":"fatal","x":"${key}` }, 0);
    expect(JSON.parse(line)).toMatchObject({ level: 'info', path: '/"}\n{"level":"fatal","x":"[api_key]' });
    expect(line).not.toContain(key);
  });

  test('has no address that a client wrote into its path or the name of its model', () => {
    const line = toLine({ ...event, route: undefined, path: '/users/203.0.113.7/x', notes: { model: 'from 2001:db8::77' } }, 0);
    expect(JSON.parse(line)).toMatchObject({ path: '/users/[ip]/x', model: 'from [ip]' });
  });

  test('has what the route notes, and cannot be broken by it', () => {
    const line = toLine({ ...event, notes: { model: `fa"st ${key}`, tokens: 12 } }, 0);
    expect(JSON.parse(line)).toMatchObject({ status: 200, model: 'fa"st [api_key]', tokens: 12 });
  });

  test('is written for people too', async () => {
    const { log, text } = await collect({ json: false });
    createAccessLog(log, createFakeClock()).write(event);
    expect(text()).toContain('POST /v1/chat/completions 200');
  });

  test('is off above info', async () => {
    const { log } = await collect({ level: 'warn' });
    expect(createAccessLog(log, createFakeClock()).enabled).toBe(false);
  });
});

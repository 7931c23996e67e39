import type { HttpRequestFinished } from '@holdfast/kit/events';
import { createFakeClock, type FakeClock } from '@holdfast/kit/testing';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  createRequestLogService,
  createRequestLogStore,
  overlapChars,
  requestsUnlogged,
  startRequestLog,
  type RequestLog,
  type RequestLogOptions,
  type RequestLogService,
} from '../../src/features/request-log/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { goodKey, openDoor } from '../http/door.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

const organizations = ['019a9c5a-0000-7000-8000-000000000001', '019a9c5a-0000-7000-8000-000000000002'] as const;
const request: HttpRequestFinished = {
  requestId: 'r1',
  method: 'GET',
  route: '/api/keys/:id',
  path: '/api/keys/1',
  status: 200,
  latencyMs: 4.2,
  requestBytes: 100,
  responseBytes: 900,
  client: 'ip_0123456789abcdef',
  organizationId: organizations[0],
  keyId: '019a9c5a-0000-7000-8000-000000000003',
  userId: undefined,
  errorCode: undefined,
  errorCategory: undefined,
  notes: undefined,
};

interface Scene {
  readonly clock: FakeClock;
  readonly log: RequestLog;
  readonly service: RequestLogService;
  /** Adds requests whose ids are `r1`, `r2`, … , a second apart. */
  add(...events: readonly Partial<HttpRequestFinished>[]): void;
}

async function scene(options: Partial<RequestLogOptions> & { readonly on?: Database } = {}): Promise<Scene> {
  const database = options.on ?? (await (await postgres.createDatabase()).open());
  const store = createRequestLogStore(database);
  const clock = createFakeClock();
  const log = startRequestLog({
    store,
    clock,
    random: systemRandom,
    instance: 'host:1',
    retentionMs: 3_600_000,
    maxRows: 1_000_000,
    maxContentChars: 1_000,
    everyMs: 2 ** 30,
    ...options,
  });
  onTestFinished(() => log.stop());
  let at = 0;
  return {
    clock,
    log,
    service: createRequestLogService(store),
    add(...events) {
      for (const event of events) {
        log.add({ ...request, requestId: `r${++at}`, ...event }, undefined);
        clock.advance(1_000);
      }
    },
  };
}

async function idsOf({ service }: Scene, filter: Parameters<RequestLogService['list']>[0] = {}): Promise<string[]> {
  const { data } = await service.list(filter, { limit: 200, cursor: undefined });
  return data.map(({ request_id }) => request_id);
}

test('finds requests by time, route, status, organization, key and slowness, newest first and page by page', async () => {
  const at = await scene();
  const start = at.clock.now();
  at.add(
    {},
    { status: 503, errorCode: 'database_unavailable', errorCategory: 'database', latencyMs: 900 },
    { organizationId: organizations[1], keyId: '019a9c5a-0000-7000-8000-000000000004', status: 404 },
    { organizationId: undefined, keyId: undefined, route: undefined, status: 404, method: 'POST' },
    { route: '/v1/chat/completions', notes: { call_id: '019a9c5a-0000-7000-8000-00000000000c' }, traceId: 'ab'.repeat(16) },
  );
  await at.log.flush();

  expect(await idsOf(at)).toStrictEqual(['r5', 'r4', 'r3', 'r2', 'r1']);
  expect(await idsOf(at, { status: '4xx' })).toStrictEqual(['r4', 'r3']);
  expect(await idsOf(at, { status: '503' })).toStrictEqual(['r2']);
  expect(await idsOf(at, { route: '/v1/chat/completions' })).toStrictEqual(['r5']);
  expect(await idsOf(at, { organization_id: organizations[1] })).toStrictEqual(['r3']);
  expect(await idsOf(at, { organization_id: organizations[0], status: '2xx' })).toStrictEqual(['r5', 'r1']);
  expect(await idsOf(at, { key_id: '019a9c5a-0000-7000-8000-000000000004' })).toStrictEqual(['r3']);
  expect(await idsOf(at, { request_id: 'r4' })).toStrictEqual(['r4']);
  expect(await idsOf(at, { min_latency_ms: 500 })).toStrictEqual(['r2']);
  expect(await idsOf(at, { method: 'POST', error_code: 'x' })).toStrictEqual([]);
  const second = (n: number) => new Date(start + n * 1_000).toISOString();
  expect(await idsOf(at, { from: second(1), to: second(3) })).toStrictEqual(['r3', 'r2']);

  const pages: string[] = [];
  for (let cursor: string | undefined | null; cursor !== null;) {
    const page = await at.service.list({}, { limit: 2, cursor });
    pages.push(page.data.map(({ request_id }) => request_id).join());
    cursor = page.next_cursor;
  }
  expect(pages).toStrictEqual(['r5,r4', 'r3,r2', 'r1']);
  const [last] = (await at.service.list({ request_id: 'r5' }, { limit: 1, cursor: undefined })).data;
  expect(last).toMatchObject({
    call_id: '019a9c5a-0000-7000-8000-00000000000c',
    trace_id: 'ab'.repeat(16),
    latency_ms: 4.2,
    instance: 'host:1',
  });
  expect(await at.service.find(last!.id)).toMatchObject({ ...last, request_content: null, response_content: null });
  await expect(at.service.find(organizations[0])).rejects.toMatchObject({ code: 'resource_not_found' });
  await expect(at.service.list({}, { limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(at.service.list({ route: '\0' }, { limit: 1, cursor: undefined })).rejects.toMatchObject({ code: 'invalid_request' });
});

test('drops and counts what its queue has no room for, and loses nothing else while the database is away', async () => {
  const fresh = await postgres.createDatabase();
  const proxy = await startDatabaseProxy(fresh.target);
  onTestFinished(() => proxy.stop());
  const on = await fresh.open({ target: proxy.target });
  const reasons: string[] = [];
  const told: number[] = [];
  onTestFinished(requestsUnlogged.subscribe(({ dropped }) => void told.push(dropped)));
  const at = await scene({ on, maxQueue: 10, maxBatch: 4, onDropped: (reason) => void reasons.push(reason) });
  at.add({}, {});
  await at.log.flush();
  proxy.cut();
  at.add(...Array.from({ length: 13 }, () => ({})));
  await at.log.flush();
  at.add({});
  await at.log.flush();

  expect(at.log.queued).toBe(10);
  expect(at.log.dropped).toBe(4);
  expect(reasons).toStrictEqual(['queue_full', 'queue_full', 'queue_full', 'queue_full']);
  expect(told).toStrictEqual([3]);
  proxy.restore();
  at.add();
  await at.log.flush();
  expect(at.log.queued).toBe(0);
  expect((await idsOf(at)).toReversed()).toStrictEqual(Array.from({ length: 12 }, (_, index) => `r${index + 1}`));
});

test('writes by itself within a second, and what waits at its end', async () => {
  const at = await scene({ everyMs: 1_000 });
  at.add({});
  // The timer has fired; a flush after it waits for what it began.
  await at.log.flush();
  expect(await idsOf(at)).toStrictEqual(['r1']);
  at.log.add({ ...request, requestId: 'last' }, undefined);
  await at.log.stop();
  expect(await idsOf(at)).toStrictEqual(['last', 'r1']);
});

test('a row that the database refuses does not take its neighbours down', async () => {
  const at = await scene();
  at.add({}, { userId: 'no uuid' }, {});
  await at.log.flush();

  expect(await idsOf(at)).toStrictEqual(['r3', 'r1']);
  expect(at.log.dropped).toBe(1);
});

test('removes what is older than it is kept, and what is more than is kept', async () => {
  const at = await scene({ retentionMs: 10_000, maxRows: 3 });
  at.add(...Array.from({ length: 5 }, () => ({})));
  await at.log.flush();
  await at.log.cleanUp();
  expect(await idsOf(at)).toStrictEqual(['r5', 'r4', 'r3']);
  at.clock.advance(7_500);
  await at.log.cleanUp();
  expect(await idsOf(at)).toStrictEqual(['r5', 'r4']);
});

test('keeps what was said only when it is told to, masked, with streams put together and cut to its bound', async () => {
  const at = await scene({ maxContentChars: 300 });
  const addRoutes = (app: Parameters<NonNullable<NonNullable<Parameters<typeof openDoor>[0]>['addRoutes']>>[0]) => {
    app.get('/api/stream', { config: { access: 'public' } }, (_, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, [...reply.rawHeaders(), 'content-type', 'text/event-stream']);
      for (const content of ['Write to jane.', 'doe@exam', 'ple.com or call'])
        reply.raw.write(`data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content } }] })}\n\n`);
      reply.raw.end('data: [DONE]\n\n');
    });
    app.get('/api/as-text', { config: { access: 'public' } }, (_, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, [...reply.rawHeaders(), 'content-type', 'application/json']);
      reply.raw.end(Buffer.from('{"said":"模型 🦊"}').toString('latin1'), 'latin1');
    });
    app.get('/api/keys/secret', { config: { access: 'public' } }, () => ({ key: 'this is not to be kept' }));
  };
  const open = (contentBytes: number) =>
    openDoor({ addRoutes, recorder: { contentBytes, add: (event, content) => at.log.add(event, content) } });
  const talking = await open(300 + overlapChars);
  const silent = await open(0);
  const send = (url: string, id: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { authorization: `Bearer ${goodKey}`, 'x-request-id': id, 'content-type': 'application/json' } }).then(
      (answer) => answer.text(),
    );
  const body = (said: string): RequestInit => ({ method: 'POST', body: JSON.stringify({ said }) });
  await send(`${talking.url}/v1/echo`, 'echo', body('mail jane.doe@example.com \u0000 now'));
  await send(`${talking.url}/v1/echo`, 'cut', body(`${'x'.repeat(285)} sk-proj-${'a1B2'.repeat(12)}`));
  await send(`${talking.url}/api/things/1`, 'parsed', body('name'));
  await send(`${talking.url}/api/stream`, 'stream');
  expect(await send(`${talking.url}/api/as-text`, 'as-text')).toBe('{"said":"模型 🦊"}');
  await send(`${talking.url}/api/keys/secret`, 'secret');
  await send(`${silent.url}/v1/echo`, 'silent', body('nothing'));
  const flushed = at.log.flush();
  await at.clock.advanceAsync(1);
  await Promise.race([flushed, drive(at.clock, flushed)]);

  const said = async (id: string) => {
    const { data } = await at.service.list({ request_id: id }, { limit: 1, cursor: undefined });
    return at.service.find(data[0]!.id);
  };
  const echo = await said('echo');
  expect(echo.request_content).toContain('mail [email]');
  expect(echo.response_content).toContain('mail [email]');
  const cut = await said('cut');
  expect(cut.request_content!.length).toBeLessThanOrEqual(301);
  expect(cut.request_content).not.toContain('a1B2');
  expect((await said('parsed')).request_content).toBe('{"said":"name"}');
  const stream = JSON.parse((await said('stream')).response_content!) as Record<string, string>;
  expect(stream).toStrictEqual({ id: 'c', 'choices.0.delta.content': 'Write to [email] or call' });
  expect((await said('as-text')).response_content).toBe('{"said":"模型 🦊"}');
  for (const id of ['secret', 'silent']) expect(await said(id)).toMatchObject({ request_content: null, response_content: null });
});

/** Lets time pass for those that wait for it until the promise is settled. */
async function drive(clock: FakeClock, until: Promise<unknown>): Promise<void> {
  let settled = false;
  void until.finally(() => (settled = true));
  while (!settled) {
    await clock.advanceAsync(1);
    await new Promise((resolve) => void systemClock.setTimeout(() => resolve(undefined), 1, true));
  }
}

import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { createMemoryDriver, createRateLimiter, gcra, headerFields } from '@holdfast/kit/ratelimit';
import { createMetrics } from '@holdfast/kit/telemetry';
import { systemClock } from '@holdfast/kit/time';
import { createHttpServer, addMetricsRoute, type HttpServer } from '../../src/entry/http/index.ts';
import { usageRoutes, type UsageService } from '../../src/features/costs/index.ts';
import { gatewayRoutes } from '../../src/features/gateway/index.ts';
import { createHealthRegistry } from '@holdfast/kit/health';
import { healthRoutes } from '../../src/features/health/index.ts';
import { keyRoutes, type KeyService } from '../../src/features/identity/index.ts';

let server: HttpServer;
let url: string;
let document: any;
let documentOfSwaggerUi: any;

beforeAll(async () => {
  // All routes of the product. None of those that need a service is called: their description is what is looked at.
  server = await createHttpServer({
    clock: systemClock,
    createId: () => 'id',
    version: '1.2.3',
    authenticate: () => Promise.reject(new Error('unused')),
  });
  const unused = undefined as never;
  server.addGateway(gatewayRoutes({ pipeline: unused, listModels: () => [], clock: systemClock, createId: () => 'id', maxDepth: 64 }));
  await server.app.register(keyRoutes({ service: {} as KeyService, principalOf: () => unused, initiatorOf: () => unused }));
  await server.app.register(usageRoutes({} as UsageService));
  await server.app.register(healthRoutes({ registry: createHealthRegistry(), clock: systemClock, version: '1.2.3' }));
  addMetricsRoute(server.app, { metrics: createMetrics(), token: undefined });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${port}`;
  // Swagger UI's copy first: whichever is asked for first must be whole.
  documentOfSwaggerUi = await (await fetch(`${url}/docs/json`)).json();
  document = await (await fetch(`${url}/openapi.json`)).json();
});
afterAll(() => server.drain({ timeoutMs: 0 }));

function operations(): { name: string; path: string; operation: any }[] {
  return Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
  );
}

describe('the description', () => {
  test('is OpenAPI 3.1 of this version', () => {
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3', license: { identifier: 'Apache-2.0' } } });
  });

  test('passes the linter without a word', async () => {
    const problems = await lintFromString({ source: JSON.stringify(document), config: await createConfig({ extends: ['recommended'] }) });
    expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`)).toEqual([]);
  });

  test('would not pass it with a fault in it', async () => {
    const broken = structuredClone(document);
    delete broken.paths['/health'].get.responses['200'];
    broken.paths['/health'].get.operationId = broken.paths['/health/live'].get.operationId;
    const problems = await lintFromString({ source: JSON.stringify(broken), config: await createConfig({ extends: ['recommended'] }) });
    expect(problems.map(({ ruleId }) => ruleId)).toEqual(
      expect.arrayContaining(['operation-2xx-response', 'operation-operationId-unique']),
    );
  });

  test('has every route of the product', () => {
    expect(
      operations()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(
      expect.arrayContaining([
        'get /api/keys',
        'get /api/usage',
        'get /health',
        'get /health/live',
        'get /health/ready',
        'get /metrics',
        'get /v1/models',
        'post /api/keys',
        'post /v1/chat/completions',
        'post /v1/embeddings',
        'post /v1/messages',
        'post /v1/messages/count_tokens',
      ]),
    );
  });

  test('says of every route that needs a key what happens without one, and of every other that it needs none', () => {
    for (const { name, path, operation } of operations()) {
      const open = ['/health', '/health/live', '/health/ready', '/api/health/status', '/metrics'].includes(path);
      expect(operation.security, name).toEqual(open ? [] : [{ bearer: [] }, { apiKey: [] }]);
      // `/metrics` may have a token of its own.
      expect('401' in operation.responses, name).toBe(!open || path === '/metrics');
    }
  });

  test('has an example of every body, which satisfies its schema', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    ajv.addSchema({ $id: 'api', components: document.components });
    let checked = 0;
    const check = (name: string, media: any) => {
      const schema = JSON.parse(JSON.stringify(media.schema).replaceAll('"#/components', '"api#/components'));
      const examples = media.example !== undefined ? [media.example] : Object.values<any>(media.examples ?? {}).map(({ value }) => value);
      expect(examples.length, `${name} has no example`).toBeGreaterThan(0);
      const validate = ajv.compile(schema);
      for (const example of examples) {
        checked++;
        expect(validate(example) ? [] : validate.errors, name).toEqual([]);
      }
    };
    for (const { name, operation } of operations()) {
      for (const media of Object.values(operation.requestBody?.content ?? {})) check(`request of ${name}`, media);
      for (const [status, response] of Object.entries<any>(operation.responses)) {
        // `/metrics` is text, and says so.
        if (name === 'get /metrics' && status === '200') continue;
        for (const media of Object.values(response.content ?? {})) check(`${status} of ${name}`, media);
      }
    }
    expect(checked).toBeGreaterThan(100);
  });

  test('describes errors in the shape of the route', () => {
    const refOf = (path: string, method: string, status: string) =>
      document.paths[path][method].responses[status].content['application/json'].schema.$ref;
    expect(refOf('/v1/chat/completions', 'post', '401')).toBe('#/components/schemas/OpenAIError');
    expect(refOf('/v1/messages', 'post', '401')).toBe('#/components/schemas/AnthropicError');
    expect(refOf('/api/usage', 'get', '401')).toBe('#/components/schemas/ErrorEnvelope');
  });

  test('names every header field of a refusal by a limit', () => {
    const limiter = createRateLimiter({ driver: createMemoryDriver({ clock: systemClock }) });
    const take = [{ policy: gcra({ name: 'door', limit: 1, periodMs: 60_000, burst: 1 }), key: 'k' }];
    limiter.take(take);
    const refused = limiter.take(take);
    expect(refused.allowed).toBe(false);
    const told = Object.keys(headerFields(refused));
    expect(told).toContain('retry-after');
    const limited = operations().filter(({ path }) => /^\/(v1|api)\//.test(path) && path !== '/api/health/status');
    expect(limited.length).toBeGreaterThan(10);
    for (const { name, operation } of limited) {
      expect(Object.keys(operation.responses['429'].headers), name).toEqual(expect.arrayContaining(['x-request-id', ...told]));
    }
  });

  test('says which routes stream', () => {
    const content = (path: string) => Object.keys(document.paths[path].post.responses['200'].content);
    expect(content('/v1/chat/completions')).toEqual(['application/json', 'text/event-stream']);
    expect(content('/v1/messages')).toEqual(['application/json', 'text/event-stream']);
    expect(content('/v1/embeddings')).toEqual(['application/json']);
  });
});

describe.each(['/docs', '/docs/', '/redoc', '/redoc/'])('the page %s', (path) => {
  async function read(): Promise<{ page: string; policy: Map<string, string>; files: string[] }> {
    const answer = await fetch(url + path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/html');
    const page = await answer.text();
    const policy = new Map(
      (answer.headers.get('content-security-policy') ?? '')
        .split('; ')
        .map((rule): [string, string] => [rule.split(' ')[0]!, rule.slice(rule.indexOf(' ') + 1)]),
    );
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => new URL(target!, url + path).href);
    return { page, policy, files };
  }

  test('may load nothing from elsewhere and run nothing inline', async () => {
    const { page, policy } = await read();
    expect(policy.get('default-src')).toBe("'none'");
    expect(policy.get('script-src')).toBe("'self'");
    expect(policy.get('connect-src')).toBe("'self'");
    for (const [directive, sources] of policy) expect(sources, directive).not.toMatch(/https?:|\*|unsafe-eval/);
    // What an inline script would need is absent, and so is the script.
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(page).not.toMatch(/\son\w+=/);
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test('finds every file that it names', async () => {
    const { files } = await read();
    const own = files.filter((file) => !file.startsWith('data:'));
    expect(own.length).toBeGreaterThan(2);
    for (const file of own) {
      const answer = await fetch(file);
      const text = await answer.text();
      expect(answer.status, file).toBe(200);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(text.length, file).toBeGreaterThan(0);
      if (file.endsWith('.js')) expect(answer.headers.get('content-type'), file).toContain('javascript');
    }
  });

  test('shows the description of this server', async () => {
    const { files } = await read();
    const starters = files.filter((file) => /(?:initializer|start)\.js$/.test(file));
    expect(starters).toHaveLength(1);
    expect(await (await fetch(starters[0]!)).text()).toMatch(/\/openapi\.json|\.\/json/);
  });
});

test('the description that Swagger UI reads is the same', () => {
  expect(documentOfSwaggerUi).toEqual(document);
});

import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import type { RawAnswer, RawRequest } from '../../../platform/server-client/index.ts';
import { createEndpointTester, type EndpointTesterOptions, type TestKeys } from './endpoint-tester.ts';

const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const error = json({ type: 'object', required: ['error'] });
const key = json({ type: 'object', required: ['id', 'name', 'status'] });
const security = [{ bearer: [] }];
const unscoped = { content: { 'application/json': { schema: { type: 'object' }, examples: { scope_missing: {} } } } };
const refused = { '401': error, '403': unscoped, '404': error, '400': error };
const keyBody = { content: { 'application/json': { schema: { $ref: '#/components/schemas/CreateKey' } } } };

const description = {
  components: { schemas: { CreateKey: { type: 'object', required: ['name'] } } },
  paths: {
    '/health': { get: { security: [], responses: { '200': json({ type: 'object', required: ['status'] }) } } },
    '/api/keys': {
      get: { security, responses: { '200': json({ type: 'object', required: ['data'] }), ...refused } },
      post: { security, requestBody: keyBody, responses: { '201': key, ...refused } },
    },
    '/api/keys/{id}': {
      get: { security, responses: { '200': key, ...refused } },
      patch: { security, requestBody: keyBody, responses: { '200': key, ...refused } },
      delete: { security, responses: { '200': key, ...refused } },
    },
    '/api/keys/{id}/rotate': { post: { security, responses: { '201': key, ...refused } } },
    '/api/usage': { get: { security, responses: { '200': json({ type: 'object', required: ['data'] }), ...refused } } },
    '/api/reload': { post: { security, responses: { '200': json({ type: 'object' }), ...refused } } },
  },
};

interface Flaws {
  /** Answers without looking at the key. */
  readonly open?: string;
  /** Looks at the key and not at its scope. */
  readonly unscoped?: boolean;
  /** Organizations see each other. */
  readonly shared?: boolean;
  /** Health answers with what does not fit. */
  readonly misshapen?: boolean;
  /** Keys live on when their organization is gone. */
  readonly immortal?: boolean;
  /** Breaks off at this request. */
  readonly dies?: string;
}

/** A server as small as can be, with or without one of the flaws that the tests are there to find. */
function scene(flaws: Flaws = {}) {
  const clock = createFakeClock();
  const organizations = new Map<string, TestKeys>();
  const keys = new Map<string, { organization: string; name: string; status: string }>();
  const sent: RawRequest[] = [];
  let limited = 1;
  const answer = (status: number, body: object): RawAnswer => ({
    status,
    contentType: 'application/json',
    retryAfterSeconds: undefined,
    text: JSON.stringify(body),
  });
  const refusal = (status: number, reason: string) => answer(status, { error: { reason } });

  function handle({ method, path, key: secret, body }: RawRequest): RawAnswer {
    const name = `${method} ${path}`;
    if (path === '/openapi.json') return answer(200, description);
    if (path === '/health') return answer(200, flaws.misshapen ? {} : { status: 'healthy' });
    const [owner, scope] = secret?.split(':') ?? [];
    if (name !== flaws.open) {
      if (secret === undefined) return refusal(401, 'key_missing');
      if (!organizations.has(owner!) && !(flaws.immortal && owner !== 'nobody')) return refusal(401, 'key_unknown');
      const enough = scope === 'full' || (scope === 'usage' && path === '/api/usage');
      if (!enough && !flaws.unscoped) return refusal(403, 'scope_missing');
    }
    const own = ([, one]: [string, { organization: string }]) => flaws.shared || one.organization === owner;
    if (path === '/api/usage' || (path === '/api/keys' && method === 'GET'))
      return answer(200, { data: path === '/api/usage' ? [] : [...keys].filter(own).map(([id]) => id) });
    if (path === '/api/reload') throw new Error('reloaded');
    if (path === '/api/keys') {
      const { name: given } = body as { name?: string };
      if (given === undefined) return refusal(400, 'invalid_request');
      keys.set('k1', { organization: owner!, name: given, status: 'active' });
      return answer(201, { id: 'k1', ...keys.get('k1') });
    }
    const id = path.split('/')[3]!;
    const one = keys.get(id);
    if (!one || !own([id, one])) return refusal(404, 'resource_not_found');
    if (method === 'PATCH') one.name = (body as { name: string }).name;
    if (method === 'DELETE') one.status = 'revoked';
    return answer(path.endsWith('/rotate') ? 201 : 200, { id, ...one });
  }

  const options: EndpointTesterOptions = {
    // Waits are not what is tested.
    clock: {
      ...clock,
      setTimeout: (callback) => (queueMicrotask(callback), { cancel() {}, refresh() {} }),
      monotonic: () => sent.length * 10,
    },
    openClient: () => ({
      async send(request) {
        sent.push(request);
        if (limited-- === 0) return { ...refusal(429, 'rate_limited'), retryAfterSeconds: 1 };
        if (`${request.method} ${request.path}` === flaws.dies) throw new Error('the connection broke');
        return handle(request);
      },
      close: async () => {},
    }),
    unknownKey: () => 'nobody:full',
    async makeOrganization(name) {
      const made = { organizationId: name, full: `${name}:full`, inference: `${name}:inference`, usage: `${name}:usage` };
      organizations.set(name, made);
      return made;
    },
    removeOrganization: async (id) => void organizations.delete(id),
    removeLeftovers: async () => 2,
  };
  return { tester: createEndpointTester(options), organizations, sent };
}

async function failuresOf(flaws: Flaws): Promise<string[]> {
  const { tester, organizations } = scene(flaws);
  const { tests } = await tester.run();
  expect(organizations.size).toBe(0);
  return tests.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
}

test('of a server without a flaw nothing fails, what would change it is left alone, and nothing is left behind', async () => {
  const { tester, organizations, sent } = scene();
  const { tests, leftoversRemoved } = await tester.run();
  expect(tests.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(tests.filter(({ outcome }) => outcome === 'skipped').map(({ name }) => name)).toEqual(['POST /api/reload answers as described']);
  expect(tests.length).toBeGreaterThan(35);
  expect([organizations.size, leftoversRemoved]).toEqual([0, 2]);
  expect(
    sent.filter(({ path, key: secret }) => path === '/api/reload' && secret?.endsWith(':full') && !secret.startsWith('nobody')),
  ).toEqual([]);
});

test.each<[Flaws, string]>([
  [{ open: 'GET /api/usage' }, 'GET /api/usage refuses a request without a key'],
  [{ unscoped: true }, 'GET /api/keys refuses a key without its scope'],
  [{ shared: true }, 'a key of another organization cannot be seen'],
  [{ shared: true }, 'a list of keys has none of another organization'],
  [{ shared: true }, 'what another organization tried has changed nothing'],
  [{ misshapen: true }, 'GET /health answers as described'],
  [{ immortal: true }, 'a removed organization’s keys are refused'],
  [{ dies: 'DELETE /api/keys/k1' }, 'the run comes to its end'],
  [{ dies: 'GET /health' }, 'the run comes to its end'],
])('finds %j and cleans up: %s', async (flaws, name) => {
  expect(await failuresOf(flaws)).toContain(name);
});

test('who asks while it runs gets the report of that run', async () => {
  const { tester } = scene();
  const [first, second] = await Promise.all([tester.run(), tester.run()]);
  expect(second).toBe(first);
});

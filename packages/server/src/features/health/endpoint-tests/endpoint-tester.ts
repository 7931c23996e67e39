import { HoldfastError, toHoldfastError } from '@holdfast/kit/errors';
import { sleep, type Clock } from '@holdfast/kit/time';
import type { RawAnswer, RawClient, RawRequest } from '../../../platform/server-client/index.ts';
import { createAnswerJudge, type AnswerJudge } from './answer-judge.ts';
import { requiresMembers, routesOf, type ApiDescription, type DescribedRoute } from './api-description.ts';

export interface EndpointTest {
  readonly name: string;
  readonly group: 'schema' | 'authentication' | 'isolation' | 'cleanup';
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly detail: string | null;
}

export interface EndpointTestReport {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly leftoversRemoved: number;
  readonly tests: readonly EndpointTest[];
}

/** Keys of one throw-away organization. */
export interface TestKeys {
  readonly organizationId: string;
  /** Every scope. */
  readonly full: string;
  /** `inference` and nothing else. */
  readonly inference: string;
  /** `usage:read` and nothing else. */
  readonly usage: string;
}

export interface EndpointTesterOptions {
  readonly clock: Clock;
  /** A client that no limit of addresses has met yet, for requests without a good key. */
  readonly openClient: () => RawClient;
  /** A secret of the form of a key that nobody has. */
  readonly unknownKey: () => string;
  readonly makeOrganization: (name: string) => Promise<TestKeys>;
  readonly removeOrganization: (id: string) => Promise<void>;
  /** Of earlier runs. */
  readonly removeLeftovers: () => Promise<number>;
  /** For the whole run. Default 60,000. */
  readonly timeoutMs?: number;
}

export interface EndpointTester {
  /** One at a time: whoever asks meanwhile gets the report of the run that goes on. */
  run(): Promise<EndpointTestReport>;
}

const nobodysId = '00000000-0000-7000-8000-000000000000';
/** Requests by one address before it is given up for the next: fewer than the burst of the limits that come with the package. */
const requestsPerClient = 5;
const forgottenWithinMs = 5_000;

/**
 * Has the server call its own routes over HTTP, from its own description: answers fit their schemas, requests without a good key are refused, and two
 * organizations do not see each other. Both are thrown away at the end, however it comes. Routes that would change the server, or cost
 * money, are asked only for what they refuse.
 */
export function createEndpointTester(options: EndpointTesterOptions): EndpointTester {
  let running: Promise<EndpointTestReport> | undefined;
  return { run: () => (running ??= runOnce(options).finally(() => (running = undefined))) };
}

async function runOnce(options: EndpointTesterOptions): Promise<EndpointTestReport> {
  const { clock, timeoutMs = 60_000 } = options;
  const startedAt = clock.now();
  const startedMs = clock.monotonic();
  const leftoversRemoved = await options.removeLeftovers();
  const run = new Run(options, startedMs + timeoutMs);
  try {
    await run.everything();
  } catch (error) {
    run.note('cleanup', 'the run comes to its end', `${toHoldfastError(error).code}: ${toHoldfastError(error).message}`);
  } finally {
    await run.cleanUp();
  }
  return { startedAt, durationMs: Math.round((clock.monotonic() - startedMs) * 1_000) / 1_000, leftoversRemoved, tests: run.tests };
}

class Run {
  readonly tests: EndpointTest[] = [];
  readonly #options: EndpointTesterOptions;
  readonly #deadlineMs: number;
  readonly #organizations: TestKeys[] = [];
  #client: RawClient | undefined;
  #clientRequests = 0;

  constructor(options: EndpointTesterOptions, deadlineMs: number) {
    this.#options = options;
    this.#deadlineMs = deadlineMs;
  }

  async everything(): Promise<void> {
    const { text, status } = await this.#send({ method: 'GET', path: '/openapi.json' });
    if (status !== 200) throw new HoldfastError('internal_error', { detail: `/openapi.json answers ${status}` });
    const description = JSON.parse(text) as ApiDescription;
    const judge = await createAnswerJudge(description);
    for (const name of ['one', 'other']) this.#organizations.push(await this.#options.makeOrganization(`Endpoint test, ${name}`));
    const [one, other] = this.#organizations as [TestKeys, TestKeys];
    const routes = routesOf(description);
    const unknown = this.#options.unknownKey();
    for (const route of routes) {
      await this.#refusals(route, judge, one, unknown);
      await this.#answer(route, judge, one, description);
    }
    await this.#keysOf(one, other, routes, judge);
  }

  /** Never throws: what could not be removed is found by the next run. */
  async cleanUp(): Promise<void> {
    try {
      for (const { organizationId } of this.#organizations) await this.#options.removeOrganization(organizationId);
      const [first] = this.#organizations;
      if (first) this.note('cleanup', 'a removed organization’s keys are refused', await this.#forgotten(first.full));
    } catch (error) {
      this.note('cleanup', 'throw-away organizations are removed', toHoldfastError(error).message);
    } finally {
      await this.#client?.close().catch(() => {});
    }
  }

  note(group: EndpointTest['group'], name: string, problem: string | undefined): void {
    this.tests.push({ name, group, outcome: problem === undefined ? 'passed' : 'failed', detail: problem ?? null });
  }

  #skip(name: string, why: string): void {
    this.tests.push({ name, group: 'schema', outcome: 'skipped', detail: why });
  }

  async #refusals(route: DescribedRoute, judge: AnswerJudge, keys: TestKeys, unknown: string): Promise<void> {
    if (!route.needsKey) return;
    const { method, name } = route;
    const path = filled(route.path, nobodysId);
    const expect = async (what: string, key: string | undefined, status: number, code: string): Promise<void> => {
      const answer = await this.#send({ method, path, key });
      this.note('authentication', `${name} refuses ${what}`, wrongRefusal(answer, status, code) ?? judge(route, answer));
    };
    await expect('a request without a key', undefined, 401, 'key_missing');
    await expect('a key that nobody has', unknown, 401, 'key_unknown');
    const scopeless = route.path.startsWith('/v1') ? keys.usage : keys.inference;
    if (route.needsScope) await expect('a key without its scope', scopeless, 403, 'scope_missing');
  }

  async #answer(route: DescribedRoute, judge: AnswerJudge, keys: TestKeys, description: ApiDescription): Promise<void> {
    const { method, path, needsKey } = route;
    const name = `${route.name} answers as described`;
    const key = needsKey ? keys.full : undefined;
    if (method === 'GET' || path.includes('{')) {
      const id = path.startsWith('/api/organizations') && method === 'GET' ? keys.organizationId : nobodysId;
      const body = method === 'GET' || method === 'DELETE' ? undefined : { holdfast_endpoint_test: true };
      const answer = await this.#send({ method, path: filled(path, id), key, body });
      const served = path.includes('{') || answer.status < 300 || (answer.status === 503 && path === '/health/ready');
      return this.note('schema', name, served ? judge(route, answer) : `answers ${answer.status}: ${codeOf(answer) ?? 'no code'}`);
    }
    if (!requiresMembers(route, description)) return this.#skip(name, 'it would change the server');
    const answer = await this.#send({ method, path, key, body: { holdfast_endpoint_test: true } });
    this.note(
      'schema',
      `${route.name} refuses a body that is none`,
      answer.status < 400 ? `answers ${answer.status}` : judge(route, answer),
    );
  }

  /** The life of a key in one organization, and what the other can do with it: nothing. */
  async #keysOf(one: TestKeys, other: TestKeys, routes: readonly DescribedRoute[], judge: AnswerJudge): Promise<void> {
    const call = async (method: string, path: string, id: string, key: string, body?: unknown) => {
      const route = routes.find((each) => each.name === `${method} ${path}`);
      if (!route) throw new HoldfastError('internal_error', { detail: `${method} ${path} is not described` });
      const answer = await this.#send({ method, path: filled(path, id), key, body });
      return { answer, problem: judge(route, answer), body: parsed(answer) };
    };
    const succeed = (what: string, status: number, { answer, problem }: Awaited<ReturnType<typeof call>>): void =>
      this.note('schema', what, answer.status === status ? problem : `answers ${answer.status}: ${codeOf(answer) ?? 'no code'}`);

    const made = await call('POST', '/api/keys', '', one.full, { name: 'endpoint test', scopes: ['inference'] });
    succeed('a key can be made', 201, made);
    const id = String(made.body['id']);
    const renamed = { name: 'taken over' };
    const attempts = [
      ['seen', 'GET', '/api/keys/{id}', undefined],
      ['changed', 'PATCH', '/api/keys/{id}', renamed],
      ['rotated', 'POST', '/api/keys/{id}/rotate', {}],
      ['revoked', 'DELETE', '/api/keys/{id}', undefined],
    ] as const;
    for (const [what, method, path, body] of attempts) {
      const { answer, problem } = await call(method, path, id, other.full, body);
      this.note('isolation', `a key of another organization cannot be ${what}`, wrongRefusal(answer, 404, 'resource_not_found') ?? problem);
    }
    const listed = await call('GET', '/api/keys', '', other.full);
    this.note(
      'isolation',
      'a list of keys has none of another organization',
      listed.answer.text.includes(id) ? 'it has one' : listed.problem,
    );
    const usage = await call('GET', '/api/usage', '', other.usage);
    const rows = usage.body['data'];
    const empty = Array.isArray(rows) && rows.length === 0;
    this.note('isolation', 'an organization that has made no call sees none', empty ? undefined : 'it sees calls of others');
    const unchanged = await call('GET', '/api/keys/{id}', id, one.full);
    const same = unchanged.body['name'] === 'endpoint test' && unchanged.body['status'] === 'active';
    this.note('isolation', 'what another organization tried has changed nothing', same ? undefined : 'the key is not as it was');

    succeed('a key can be changed', 200, await call('PATCH', '/api/keys/{id}', id, one.full, { name: 'changed' }));
    succeed('a key can be rotated', 201, await call('POST', '/api/keys/{id}/rotate', id, one.full, { grace_seconds: 0 }));
    succeed('a key can be revoked', 200, await call('DELETE', '/api/keys/{id}', id, one.full));
  }

  async #forgotten(key: string): Promise<string | undefined> {
    const { clock } = this.#options;
    const until = clock.monotonic() + forgottenWithinMs;
    for (;;) {
      const { status } = await this.#send({ method: 'GET', path: '/api/keys', key });
      if (status === 401) return undefined;
      if (clock.monotonic() > until) return `a request with one is still answered ${status}`;
      await sleep(clock, 50);
    }
  }

  async #send(request: RawRequest): Promise<RawAnswer> {
    const { clock, openClient } = this.#options;
    for (;;) {
      if (clock.monotonic() > this.#deadlineMs) throw new HoldfastError('deadline_exceeded', { detail: 'the run takes too long' });
      if (this.#client === undefined || this.#clientRequests >= requestsPerClient) {
        await this.#client?.close();
        this.#client = openClient();
        this.#clientRequests = 0;
      }
      this.#clientRequests += 1;
      const answer = await this.#client.send(request);
      // Limits hold for this client as for every other.
      if (answer.status !== 429) return answer;
      await sleep(clock, Math.min(answer.retryAfterSeconds ?? 1, 10) * 1_000);
    }
  }
}

function filled(path: string, id: string): string {
  return path.replaceAll(/\{\w+\}/g, id);
}

function parsed({ text }: RawAnswer): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** In each of the three shapes of an error. */
function codeOf(answer: RawAnswer): string | undefined {
  const error = parsed(answer)['error'] as Record<string, unknown> | undefined;
  const code = error?.['reason'] ?? error?.['code'] ?? error?.['type'];
  return typeof code === 'string' ? code : undefined;
}

function wrongRefusal(answer: RawAnswer, status: number, code: string): string | undefined {
  if (answer.status !== status) return `answers ${answer.status} and not ${status}`;
  // Anthropic's shape has a type of its own in place of our code.
  const said = codeOf(answer);
  return said === code || said?.endsWith('_error') ? undefined : `says ${said ?? 'nothing'} and not ${code}`;
}

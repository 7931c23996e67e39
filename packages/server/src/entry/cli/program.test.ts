import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  diagnosis,
  endpointTestReport,
  reloadReport,
  usagePage,
  usageRow,
  type AlertBody,
  type AlertSilenceBody,
  type CircuitBreakerBody,
  type RateLimitListBody,
  type DiagnosisBody,
  type EndpointTestReportBody,
  type ReloadReportBody,
  type UsageQuery,
  type UsageRow,
} from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Ban, BanBook, ListBansOptions } from '@holdfast/kit/security';
import { systemClock } from '@holdfast/kit/time';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Configuration, ConfigurationSource } from '../../config/index.ts';
import type { BudgetService, BudgetStanding } from '../../features/costs/budgets/index.ts';
import type { ApiKey, KeyAdministration, Organization, OrganizationService } from '../../features/identity/index.ts';
import type { AlertCommands } from './dependencies.ts';
import { runCli, type CliDependencies } from './index.ts';

const nowMs = Date.parse('2026-11-20T12:00:00Z');
const keyId = '019a9c50-11aa-7f00-8d11-0c6b7a8e9f01';

function keyNamed(name: string, more: Partial<ApiKey> = {}): ApiKey {
  return {
    id: keyId,
    organizationId: '019a9c50-0000-7f00-8d11-0c6b7a8e9f01',
    userId: undefined,
    name,
    prefix: 'hf_7q2m8d',
    scopes: ['inference'],
    allowedModels: undefined,
    rateLimits: { requestsPerMinute: undefined, tokensPerMinute: undefined, concurrent: undefined },
    createdAt: new Date('2026-11-01T00:00:00Z'),
    createdByKeyId: undefined,
    expiresAt: undefined,
    revokedAt: undefined,
    replacedBy: undefined,
    lastUsedAt: undefined,
    ...more,
  } as ApiKey;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs a command line in an empty folder, with dependencies that must not be used unless they are given. */
async function run(
  line: readonly string[],
  given: Partial<CliDependencies> & { files?: Record<string, string>; env?: Record<string, string> } = {},
): Promise<Ran> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-cli-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(given.files ?? {})) writeFileSync(path.join(cwd, name), text);
  const unused = (): never => {
    throw new Error('not to be called');
  };
  let out = '';
  let error = '';
  const code = await runCli(
    line,
    {
      version: '1.2.3',
      cwd,
      clock: { ...systemClock, now: () => nowMs },
      environment: () => given.env ?? {},
      serve: unused,
      keys: unused,
      audit: unused,
      organizations: unused,
      budgets: unused,
      usage: unused,
      costs: unused,
      bans: unused,
      pseudonym: unused,
      breakers: unused,
      limits: unused,
      alerts: unused,
      testAlerts: unused,
      reload: unused,
      requestLog: unused,
      health: unused,
      logLevel: unused,
      erasePersonalData: unused,
      ...given,
    },
    { out: (text) => (out += text), error: (text) => (error += text), interactive: false },
  );
  return { code, out, error };
}

const withKeys = (administration: Partial<KeyAdministration>): Pick<CliDependencies, 'keys'> => ({
  keys: (_, work) => work(administration as KeyAdministration),
});

describe('the program', () => {
  test('--version and --help answer on standard output, without reading any configuration', async () => {
    const environment = (): never => {
      throw new Error('read');
    };
    expect(await run(['--version'], { environment })).toEqual({ code: 0, out: '1.2.3\n', error: '' });
    const help = await run(['--help'], { environment });
    expect(help.code).toBe(0);
    for (const command of [
      'serve',
      'keys',
      'organizations',
      'usage',
      'budgets',
      'costs',
      'bans',
      'breakers',
      'alerts',
      'limits',
      'reload',
      'request-log',
      'health',
      'diagnose',
      'test-endpoints',
      'log-level',
      'config',
    ])
      expect(help.out).toMatch(new RegExp(`^ {2}${command}`, 'm'));
    for (const command of ['create', 'list', 'change', 'rotate', 'revoke'])
      expect((await run(['keys', '--help'])).out).toContain(`  ${command}`);
  });

  test('an unknown command or option, and none at all, are told on standard error with exit code 1', async () => {
    expect(await run(['srve'])).toMatchObject({
      code: 1,
      out: '',
      error: expect.stringMatching(/unknown command 'srve'[^]*Did you mean serve\?/),
    });
    expect(await run(['serve', '--prot', '1'])).toMatchObject({ code: 1, out: '', error: expect.stringMatching(/Did you mean --port\?/) });
    expect(await run([])).toMatchObject({ code: 1, out: '', error: expect.stringMatching(/Usage: holdfast/) });
  });

  test('a failure is one line with what to do, exit code 1, and never a stack', async () => {
    const serve = async (): Promise<number> => {
      throw new HoldfastError('port_unusable', { detail: 'listen EADDRINUSE 127.0.0.1:8080' });
    };
    expect(await run(['serve'], { serve })).toEqual({
      code: 1,
      out: '',
      error: 'holdfast: The port cannot be used. Choose another with HOLDFAST_PORT. (listen EADDRINUSE 127.0.0.1:8080)\n',
    });
    const broken = await run(['serve'], { serve: () => Promise.reject(new TypeError('x is undefined')) });
    expect(broken).toMatchObject({ code: 1, error: expect.stringMatching(/^holdfast: Something went wrong.*\(x is undefined\)\n$/) });
  });

  test('the last lines of a program that failed stand below the line that says so', async () => {
    const serve = () => Promise.reject(new HoldfastError('postgres_start_failed', { detail: 'it ended with 1\nFATAL: one\nFATAL: two' }));
    expect((await run(['serve'], { serve })).error).toBe(
      'holdfast: The embedded PostgreSQL did not start.\n  it ended with 1\n  FATAL: one\n  FATAL: two\n',
    );
  });

  test('what failed cannot move the cursor', async () => {
    const serve = () => Promise.reject(new HoldfastError('conflict', { detail: 'a\u001b[2Jb', details: { name: '\u001b[31m' } }));
    expect((await run(['serve'], { serve })).error).not.toMatch(/\u001b/);
  });
});

describe('serve', () => {
  test('hands on the configuration, with the command line above it, and ends with the code that it is given', async () => {
    let seen: Configuration | undefined;
    const serve = async (source: ConfigurationSource): Promise<number> => {
      seen = source.atStart;
      return 3;
    };
    const ran = await run(['--config', 'other.yaml', 'serve', '--port', '0', '--host', '0.0.0.0'], {
      serve,
      env: { HOLDFAST_PORT: '1', HOLDFAST_CONFIG: 'nowhere.yaml' },
      files: { 'other.yaml': 'log: { level: debug }' },
    });
    expect(ran).toEqual({ code: 3, out: '', error: '' });
    expect(seen?.server).toMatchObject({ port: 0, host: '0.0.0.0' });
    expect(seen?.log.level).toBe('debug');
  });

  test('does not start on a faulty configuration, and shows the whole list of faults', async () => {
    const ran = await run(['serve', '--port', 'x'], { env: { LOG_LEVEL: 'loud', HOLDFAST_PROT: '1' } });
    expect(ran.code).toBe(1);
    expect(ran.error.split('\n')).toEqual([
      'holdfast: The configuration has 3 faults:',
      '  - command line: server.port: expected an integer from 0 to 65535, received "x".',
      expect.stringMatching(/^ {2}- environment LOG_LEVEL: /),
      '  - environment HOLDFAST_PROT: there is no such setting. Did you mean HOLDFAST_PORT?',
      '',
    ]);
  });
});

describe('config', () => {
  const env = { OPENAI_API_KEY: 'sk-secret' };

  test('print shows what is in force without secrets, as text and as JSON', async () => {
    const text = await run(['config', 'print'], { env });
    expect(text).toMatchObject({ code: 0, error: '' });
    expect(text.out).toMatch(/port: 8080 +# default/);
    const json = await run(['config', 'print', '--json'], { env });
    const { data } = JSON.parse(json.out) as { data: { path: string[]; value: unknown; secret: boolean; source: string }[] };
    expect(data.find((entry) => entry.path.join('.') === 'providers.openai.apiKey')).toEqual({
      path: ['providers', 'openai', 'apiKey'],
      value: 'set',
      secret: true,
      source: 'environment',
      origin: 'environment OPENAI_API_KEY',
    });
    expect(text.out + json.out).not.toContain('sk-secret');
  });

  test('check says that it is valid, or what is not', async () => {
    expect(await run(['config', 'check'], { env })).toEqual({
      code: 0,
      out: 'The configuration is valid (no file; 1 provider, 0 models).\n',
      error: '',
    });
    expect(await run(['config', 'check'], { env: { HOLDFAST_PORT: 'x' } })).toMatchObject({ code: 1, out: '' });
  });
});

describe('keys', () => {
  test('create writes the secret alone to standard output', async () => {
    let made: unknown;
    const create: KeyAdministration['create'] = async (key) => {
      made = key;
      return { key: keyNamed(key.name), secret: 'hf_secret' };
    };
    const line = [
      'keys',
      'create',
      '--name',
      'support',
      '--scope',
      'inference',
      'usage:read',
      '--model',
      'fast',
      'slow',
      '--expires',
      '30d',
    ];
    const ran = await run(line, withKeys({ create }));
    expect(ran).toEqual({ code: 0, out: 'hf_secret\n', error: `Key ${keyId} was made. This is the only time that it is shown.\n` });
    expect(made).toEqual({
      name: 'support',
      scopes: ['inference', 'usage:read'],
      allowedModels: ['fast', 'slow'],
      expiresAt: new Date(nowMs + 30 * 86_400_000),
      rateLimits: {},
    });
  });

  test('create gives inference and every model, for good, unless it is told otherwise', async () => {
    let made: unknown;
    await run(
      ['keys', 'create', '--name', 'x', '--json'],
      withKeys({ create: async (key) => ((made = key), { key: keyNamed('x'), secret: 's' }) }),
    );
    expect(made).toEqual({ name: 'x', scopes: ['inference'], allowedModels: undefined, expiresAt: undefined, rateLimits: {} });
  });

  test.each([
    ['without a name', ['keys', 'create'], /required option '--name <text>'/],
    ['with an unknown scope', ['keys', 'create', '--name', 'x', '--scope', 'all'], /Scopes are inference/],
    ['with a name that the API would refuse', ['keys', 'create', '--name', 'x'.repeat(300)], /details: \[\{"field":"name"/],
    ['with an expiry that is none', ['keys', 'create', '--name', 'x', '--expires', 'soon'], /Give a date/],
    ['a grace beyond the limit', ['keys', 'rotate', keyId, '--grace', '52w'], /details: \[\{"field":"grace_seconds"/],
    ['rotate without an id', ['keys', 'rotate'], /missing required argument 'id'/],
    ['a limit of a key that is none', ['keys', 'create', '--name', 'x', '--concurrent', '0'], /A limit is a whole number/],
    ['a limit that the API would refuse', ['keys', 'change', keyId, '--concurrent', '2000000'], /details: \[\{"field":"concurrent"/],
    ['a limit of none', ['keys', 'list', '--limit', '0'], /Give a number from 1/],
  ])('%s is refused before anything is opened', async (_, line, message) => {
    const ran = await run(line);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.error).toMatch(message);
  });

  test('list follows the pages up to its limit, and says when there are more', async () => {
    const asked: unknown[] = [];
    const all = Array.from({ length: 250 }, (_, index) => keyNamed(`key ${index}`, { id: `id-${index}` }));
    const list: KeyAdministration['list'] = async (page) => {
      asked.push(page);
      const from = page.beforeId === undefined ? 0 : all.findIndex(({ id }) => id === page.beforeId) + 1;
      return { keys: all.slice(from, from + page.limit), more: from + page.limit < all.length };
    };
    const ran = await run(['keys', 'list', '--limit', '150', '--json'], withKeys({ list }));
    expect(asked).toEqual([
      { limit: 100, beforeId: undefined },
      { limit: 50, beforeId: 'id-99' },
    ]);
    expect((JSON.parse(ran.out) as { data: unknown[] }).data).toHaveLength(150);
    expect(ran.error).toMatch(/There are more/);
    expect((await run(['keys', 'list', '--limit', '999'], withKeys({ list }))).error).toBe('');
  });

  test('list shows status, and names that cannot touch the terminal', async () => {
    const list: KeyAdministration['list'] = async () => ({
      keys: [
        keyNamed('a\u001b[31m\nb'),
        keyNamed('old', { expiresAt: new Date(nowMs - 1) }),
        keyNamed('gone', { revokedAt: new Date(nowMs) }),
        keyNamed('rotated', { replacedBy: keyId, expiresAt: new Date(nowMs + 60_000), allowedModels: ['fast'] }),
      ],
      more: false,
    });
    const { out } = await run(['keys', 'list'], withKeys({ list }));
    expect(out.split('\n')).toHaveLength(6);
    expect(out).not.toMatch(/\u001b/);
    expect(out).toMatch(/old +expired/);
    expect(out).toMatch(/gone +revoked/);
    expect(out).toMatch(/rotated +replaced +inference +fast +none +2026-11-20 12:01Z +never/);
    expect(await run(['keys', 'list'], withKeys({ list: async () => ({ keys: [], more: false }) }))).toMatchObject({
      out: 'There are no keys.\n',
    });
  });

  test('limits of a key are given, changed, taken away and shown', async () => {
    const asked: unknown[] = [];
    const create: KeyAdministration['create'] = async (key) => (asked.push(key.rateLimits), { key: keyNamed(key.name), secret: 's' });
    await run(['keys', 'create', '--name', 'x', '--tokens-per-minute', '90000', '--concurrent', '4'], withKeys({ create }));
    const change: KeyAdministration['change'] = async (id, changes) => {
      asked.push([id, changes]);
      return keyNamed('new name', { rateLimits: { requestsPerMinute: 60, tokensPerMinute: undefined, concurrent: 4 } });
    };
    const line = ['keys', 'change', keyId, '--name', 'new name', '--requests-per-minute', '60', '--tokens-per-minute', 'none'];
    const changed = await run(line, withKeys({ change }));
    expect(changed.out).toMatch(/new name +active +inference +all +60 calls\/min, 4 at once +never/);
    expect(asked).toEqual([
      { tokens_per_minute: 90_000, concurrent: 4 },
      [keyId, { name: 'new name', requests_per_minute: 60, tokens_per_minute: null }],
    ]);
  });

  test('rotate and revoke name the key, and an unknown one is told', async () => {
    const asked: unknown[] = [];
    const rotate: KeyAdministration['rotate'] = async (id, rotation) => {
      asked.push([id, rotation]);
      return { key: keyNamed('new', { id: 'new-id' }), secret: 'hf_new', replaced: keyNamed('old') };
    };
    const rotated = await run(['keys', 'rotate', keyId, '--grace', '1h'], withKeys({ rotate }));
    expect(rotated).toEqual({
      code: 0,
      out: 'hf_new\n',
      error: `Key new-id takes the place of ${keyId}. This is the only time that it is shown.\n`,
    });
    expect(asked).toEqual([[keyId, { graceSeconds: 3600, expiresAt: undefined }]]);

    const revoked = await run(['keys', 'revoke', keyId], withKeys({ revoke: async () => keyNamed('x', { revokedAt: new Date(nowMs) }) }));
    expect(revoked).toEqual({ code: 0, out: `Key ${keyId} is revoked.\n`, error: '' });
    const unknown = await run(['keys', 'revoke', 'x'], withKeys({ revoke: () => Promise.reject(new HoldfastError('resource_not_found')) }));
    expect(unknown).toEqual({ code: 1, out: '', error: 'holdfast: There is no such resource.\n' });
  });
});

describe('budgets', () => {
  const standing: BudgetStanding = {
    budget: {
      ...{ id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10', organizationId: 'o', name: 'Trial', subject: 'organization', subjectIds: ['o'] },
      ...{ period: 'month', limitNanoUsd: 25_000_000_000, enforcement: 'hard', createdAt: 0 },
    },
    ...{ periodStartMs: 0, periodEndMs: 1, spentNano: 12_500_000_000, reservedNano: 40_000_000, idleNano: 0, refusing: false },
  };
  const withBudgets = (service: Partial<BudgetService>): Pick<CliDependencies, 'budgets'> => ({
    budgets: (_, work) =>
      work({
        service: service as BudgetService,
        organizations: { find: async () => ({ id: 'o' }) } as unknown as OrganizationService,
      }),
  });

  test('are made in the name of the operator at the terminal, and shown with what is spent and held', async () => {
    const asked: unknown[] = [];
    const create: BudgetService['create'] = async (request, by) => {
      asked.push(request, by.actor.type);
      return standing;
    };
    const words = ['budgets', 'create', 'Trial', '--organization', 'acme', '--limit', '25.00', '--period', 'month'];
    const ran = await run(words, withBudgets({ create }));
    expect(asked).toMatchObject([
      { name: 'Trial', subject: 'organization', organization_id: 'o', period: 'month', limit_usd: '25.00', enforcement: 'hard' },
      'operator',
    ]);
    expect(ran.out).toMatch(/Trial +organization o +month +\$25\.00 hard +\$12\.50 +\$0\.04 +open/);
  });

  test('refuse what the API would refuse', async () => {
    const words = ['budgets', 'create', 'Trial', '--organization', 'acme', '--limit', 'much', '--period', 'year'];
    const ran = await run(words, withBudgets({}));
    expect(ran.code).toBe(1);
    expect(ran.error).toMatch(/period/);
    expect(ran.error).toMatch(/limit_usd/);
  });
});

describe('organizations', () => {
  const acme: Organization = { id: keyId, name: 'Acme\u001b[31m', slug: 'acme', tier: 'basic', createdAt: new Date(nowMs) };
  const withOrganizations = (service: Partial<OrganizationService>): Pick<CliDependencies, 'organizations'> => ({
    organizations: (_, work) => work(service as OrganizationService),
  });

  test('list shows their tiers, page after page, and names that cannot touch the terminal', async () => {
    const list: OrganizationService['list'] = async ({ limit, beforeId }) => ({
      organizations: Array.from({ length: limit }, (_, at) => ({ ...acme, id: `${beforeId ?? 'first'}-${at}` })),
      more: true,
    });
    const ran = await run(['organizations', 'list', '--limit', '150', '--json'], withOrganizations({ list }));
    expect((JSON.parse(ran.out) as { data: unknown[] }).data).toHaveLength(150);
    expect(ran.error).toMatch(/There are more/);
    const shown = await run(['organizations', 'list', '--limit', '1'], withOrganizations({ list }));
    expect(shown.out).toMatch(/acme +Acme.+ +basic/);
    expect(shown.out).not.toContain('\u001b');
  });

  test('tier takes an id or a slug and shows what became of it; an unknown organization or tier is told', async () => {
    const service: Partial<OrganizationService> = {
      find: async (name) => {
        if (name !== 'acme') throw new HoldfastError('resource_not_found');
        return acme;
      },
      setTier: async (id, tier, by) => {
        expect([id, by.actor.type]).toEqual([acme.id, 'operator']);
        if (tier !== 'pro')
          throw new HoldfastError('invalid_request', { details: [{ field: 'tier', message: 'must be one of basic, pro' }] });
        return { ...acme, tier };
      },
    };
    expect(await run(['organizations', 'tier', 'acme', 'pro'], withOrganizations(service))).toMatchObject({
      code: 0,
      out: expect.stringMatching(/acme +Acme.+ +pro/),
    });
    const json = await run(['organizations', 'tier', 'acme', 'pro', '--json'], withOrganizations(service));
    expect(JSON.parse(json.out)).toMatchObject({ id: acme.id, tier: 'pro' });
    expect((await run(['organizations', 'tier', 'nobody', 'pro'], withOrganizations(service))).error).toMatch(/no such resource/);
    expect((await run(['organizations', 'tier', 'acme', 'gold'], withOrganizations(service))).error).toMatch(/must be one of basic, pro/);
  });
});

describe('usage', () => {
  // The example of the API's own description.
  const [row] = usageRow.array().parse(usageRow.meta()?.['examples']) as [UsageRow];

  test('filters are those of the API, and pages are followed up to the limit', async () => {
    const asked: UsageQuery[] = [];
    const usage: CliDependencies['usage'] = (_, work) =>
      work(async (query) => {
        asked.push(query);
        return { data: Array.from({ length: query.limit }, () => row), next_cursor: `after ${asked.length}` };
      });
    const ran = await run(['usage', '--since', '24h', '--model', 'fast', '--outcome', 'completed', '--limit', '250', '--json'], { usage });
    const filters = { from: '2026-11-19T12:00:00.000Z', model: 'fast', outcome: 'completed' };
    expect(asked).toEqual([
      { ...filters, limit: 200 },
      { ...filters, limit: 50, cursor: 'after 1' },
    ]);
    const page = usagePage.parse(JSON.parse(ran.out));
    expect([page.data.length, page.next_cursor]).toEqual([250, 'after 2']);
  });

  test('shows a row a call, and an unknown cost as unknown', async () => {
    const rows = [
      row,
      {
        ...row,
        cost_nano_usd: null,
        cost_usd: null,
        provider: null,
        outcome: 'failed',
        error_code: 'stream_cut',
        first_token_ms: null,
      } as UsageRow,
    ];
    const { out } = await run(['usage'], { usage: (_, work) => work(async () => ({ data: rows, next_cursor: null })) });
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/fast +primary\/gpt-4o-mini-2024-07-18 +completed +412 +96 +0\.000119400 +310 +843$/);
    expect(lines[2]).toMatch(/ - +failed \(stream_cut\) +412 +96 +\? +- +843$/);
  });

  test('a filter that the API would refuse is refused before anything is opened', async () => {
    expect(await run(['usage', '--key', 'mine'])).toMatchObject({ code: 1, error: expect.stringMatching(/details: \[\{"field":"key_id"/) });
    expect(await run(['usage', '--outcome', 'good'])).toMatchObject({ code: 1, error: expect.stringMatching(/"field":"outcome"/) });
  });

  test('no calls are told as such', async () => {
    expect(await run(['usage'], { usage: (_, work) => work(async () => ({ data: [], next_cursor: null })) })).toEqual({
      code: 0,
      out: 'There are no calls.\n',
      error: '',
    });
  });
});

test('pseudonym tells what the log calls an address, now and on another day', async () => {
  const asked: unknown[] = [];
  const pseudonym: CliDependencies['pseudonym'] = async (_, address, unixMs) => {
    asked.push([address, new Date(unixMs).toISOString()]);
    return address === 'bob' ? undefined : 'ip_0123456789abcdef';
  };
  expect(await run(['pseudonym', '203.0.113.7'], { pseudonym })).toMatchObject({ code: 0, out: 'ip_0123456789abcdef\n' });
  await run(['pseudonym', '203.0.113.7', '--at', '2026-11-18'], { pseudonym });
  await run(['pseudonym', '203.0.113.7', '--at', '1d'], { pseudonym });
  expect(asked).toEqual([
    ['203.0.113.7', '2026-11-20T12:00:00.000Z'],
    ['203.0.113.7', '2026-11-18T00:00:00.000Z'],
    ['203.0.113.7', '2026-11-19T12:00:00.000Z'],
  ]);
  expect(await run(['pseudonym', 'bob'], { pseudonym })).toMatchObject({ code: 1 });
});

describe('bans', () => {
  const banned: Ban = {
    range: '203.0.113.7',
    reason: 'endpoint_scanning',
    source: 'automatic',
    bannedAtMs: nowMs,
    endsAtMs: nowMs + 300_000,
    repeats: 1,
    by: null,
    note: null,
  };
  const readId = (id: string) => (id.startsWith('id of ') ? { range: id.slice(6), bannedAtMs: nowMs } : undefined);
  const withBans = (book: Partial<Pick<BanBook, 'list' | 'find' | 'add' | 'lift'>>): Pick<CliDependencies, 'bans'> => ({
    bans: (_, work) => work(book as BanBook, { of: ({ range }) => `id of ${range}`, read: (id) => readId(id) }),
  });

  test('list shows who is banned, why and until when, over pages; --json as the API does', async () => {
    const list = ({ limit = 0, cursor }: ListBansOptions = {}) => ({
      bans: Array.from({ length: limit }, (_, at) => ({ ...banned, range: `10.0.${cursor ?? 0}.${at}` })),
      nextCursor: String(Number(cursor ?? 0) + 1),
    });
    const ran = await run(['bans', 'list', '--limit', '150', '--json'], withBans({ list }));
    const { data } = JSON.parse(ran.out) as { data: { range: string; ends_at: string }[] };
    expect([data.length, data[100]!.range, data[0]!.ends_at]).toEqual([150, '10.0.1.0', '2026-11-20T12:05:00.000Z']);
    expect(ran.error).toMatch(/There are more/);
    const shown = await run(['bans', 'list'], withBans({ list: () => ({ bans: [banned], nextCursor: undefined }) }));
    expect(shown.out).toMatch(/^RANGE .*\n203\.0\.113\.7 +endpoint_scanning +2026-11-20 12:00Z +2026-11-20 12:05Z +1\n$/);
    expect((await run(['bans', 'list'], withBans({ list: () => ({ bans: [], nextCursor: undefined }) }))).out).toBe('Nobody is banned.\n');
  });

  test('show tells whom a line of the log is about, also when the ban has ended, and nothing of an id of another installation', async () => {
    const inForce = withBans({ find: (range) => (range === banned.range ? banned : undefined) });
    expect(await run(['bans', 'show', 'id of 203.0.113.7'], inForce)).toMatchObject({
      code: 0,
      out: '203.0.113.7 was banned at 2026-11-20 12:00Z; it is banned now, until 2026-11-20 12:05Z.\n',
    });
    expect(JSON.parse((await run(['bans', 'show', 'id of 203.0.113.7', '--json'], inForce)).out)).toMatchObject({
      id: 'id of 203.0.113.7',
    });
    expect((await run(['bans', 'show', 'id of 203.0.113.8'], inForce)).out).toBe(
      '203.0.113.8 was banned at 2026-11-20 12:00Z; it is not banned now.\n',
    );
    expect(JSON.parse((await run(['bans', 'show', 'id of 203.0.113.8', '--json'], inForce)).out)).toMatchObject({ in_force: false });
    expect(await run(['bans', 'show', 'nonsense'], inForce)).toMatchObject({ code: 1, error: expect.stringContaining('has that id') });
  });

  test('add bans until a moment, or until it is lifted, and refuses what the API refuses', async () => {
    const asked: unknown[] = [];
    const book = withBans({
      add: async (manual) => {
        asked.push(manual);
        return { ...banned, source: 'manual', endsAtMs: manual.endsAtMs ?? null };
      },
    });
    expect((await run(['bans', 'add', '203.0.113.7', '--until', '1h', '--note', 'why'], book)).out).toBe(
      '203.0.113.7 is banned until 2026-11-20 13:00Z.\n',
    );
    expect((await run(['bans', 'add', '203.0.113.7'], book)).out).toBe('203.0.113.7 is banned until the ban is lifted.\n');
    expect(asked).toEqual([
      { range: '203.0.113.7', endsAtMs: nowMs + 3_600_000, note: 'why' },
      { range: '203.0.113.7', endsAtMs: null, note: null },
    ]);
    expect(await run(['bans', 'add', '203.0.113.7', '--note', 'x'.repeat(501)], book)).toMatchObject({
      code: 1,
      error: expect.stringContaining('note'),
    });
  });

  test('lift ends a ban, and says when there is none of exactly that range', async () => {
    const lift = async (range: string) => (range === banned.range ? banned : undefined);
    expect((await run(['bans', 'lift', '203.0.113.7'], withBans({ lift }))).out).toBe('The ban of 203.0.113.7 is lifted.\n');
    const none = await run(['bans', 'lift', '203.0.113.0/24'], withBans({ lift }));
    expect(none).toMatchObject({ code: 1, out: '', error: expect.stringContaining('no ban of exactly 203.0.113.0/24 is in force') });
  });
});

describe('limits', () => {
  const data: RateLimitListBody['data'] = [
    { level: 'organization-minute', subject: keyId, limit: 30, remaining: 4, reset_at: '2026-11-20T12:01:00.000Z' },
    { level: 'endpoint-x\u001b[2J', subject: 'everybody', limit: null, remaining: null, reset_at: '2026-11-20T12:01:00.000Z' },
  ];

  test('asks the running server with the key of the environment, and shows what is left', async () => {
    const asked: unknown[] = [];
    const limits: CliDependencies['limits'] = async (_configuration, env) => ({
      list: async (query) => (asked.push(query, env['HOLDFAST_API_KEY']), { data, next_cursor: null }),
      self: async () => ({ data: [], next_cursor: null }),
    });
    const env = { HOLDFAST_API_KEY: 'hf_operator' };
    const shown = await run(['limits', '--organization', keyId, '--limit', '5'], { limits, env });
    expect(asked).toEqual([{ organization_id: keyId, limit: 5 }, 'hf_operator']);
    expect(shown.out).toMatch(/organization-minute +\S+ +4 +30 +2026/);
    expect(shown.out).toMatch(/everybody +no limit/);
    expect(shown.out).not.toContain('\u001b');
    expect(JSON.parse((await run(['limits', '--json'], { limits, env })).out)).toEqual({ data, next_cursor: null });
    expect((await run(['limits', '--self'], { limits, env })).out).toBe('No limit is half full.\n');
  });

  test.each([
    ['an address that is none', ['limits', '--address', 'localhost'], /"field":"address"/],
    ['an organization that is no id', ['limits', '--organization', 'acme'], /"field":"organization_id"/],
    ['both', ['limits', '--organization', keyId, '--address', '127.0.0.1'], /cannot be asked for together/],
    ['too many', ['limits', '--limit', '201'], /"field":"limit"/],
  ])('%s is refused before anything is asked', async (_, line, message) => {
    const ran = await run(line);
    expect([ran.code, ran.out]).toEqual([1, '']);
    expect(ran.error).toMatch(message);
  });
});

describe('reload', () => {
  const [report] = reloadReport.array().parse(reloadReport.meta()?.['examples']) as [ReloadReportBody];

  test('tells what changed, where, and what waits for a start', async () => {
    const ran = await run(['reload'], { reload: async () => report });
    expect(ran).toEqual({
      code: 0,
      out: [
        'The new configuration is in force at holdfast-6c9f (process 1).',
        '  providers added: backup',
        '  models changed: fast',
        '  rate limits changed: tiers.pro',
        '  with the next start only: server.port',
        'Digest: 0f3ac1d2b4e5968778695a4b3c2d1e0f',
        '',
      ].join('\n'),
      error: '',
    });
    expect(JSON.parse((await run(['reload', '--json'], { reload: async () => report })).out)).toEqual(report);
  });

  test('ends with 1 and every fault, a line each, when the server refuses', async () => {
    const faults = [
      { where: 'holdfast.config.yaml:3:5', setting: 'models.fast', problem: 'targets is missing.', hint: 'Add one.' },
      { where: 'holdfast.config.yaml:9', problem: 'it is\u001b[2J not YAML.' },
    ];
    const reload = () => Promise.reject(new HoldfastError('configuration_rejected', { details: { faults } }));
    expect(await run(['reload'], { reload })).toEqual({
      code: 1,
      out: '',
      error: [
        'holdfast: The new configuration has faults, so the old one stays in force. Mend them and reload again.',
        '  - holdfast.config.yaml:3:5: models.fast: targets is missing. Add one.',
        '  - holdfast.config.yaml:9: it is\uFFFD[2J not YAML.',
        '',
      ].join('\n'),
    });
  });

  test('loads no configuration of its own while the environment says where the server is', async () => {
    const seen: unknown[] = [];
    const reload: CliDependencies['reload'] = async (_configuration, env) => {
      seen.push(env['HOLDFAST_BASE_URL']);
      return report;
    };
    const ran = await run(['reload'], {
      reload,
      env: { HOLDFAST_BASE_URL: 'http://127.0.0.1:1' },
      files: { 'holdfast.config.yaml': 'models: 1' },
    });
    expect([ran.code, seen]).toEqual([0, ['http://127.0.0.1:1']]);
  });
});

describe('breakers', () => {
  const breaker = (name: string, more: Partial<CircuitBreakerBody> = {}): CircuitBreakerBody => ({
    name,
    kind: 'model',
    state: 'closed',
    by_hand: false,
    changed_at: null,
    opened_at: null,
    next_probe_at: null,
    failures: 0,
    window_calls: null,
    totals: { succeeded: 0, failed: 0, refused: 0, opened: 0 },
    last_failure: null,
    settings: null,
    ...more,
  });
  const open = { state: 'open', changed_at: '2026-11-20T11:59:30Z', opened_at: '2026-11-20T11:59:30Z' } as const;

  test('list shows those that are not closed first, and says when no other instance shares them', async () => {
    const data = [
      breaker('a/closed'),
      breaker('b/for-a-time', {
        ...open,
        next_probe_at: '2026-11-20T12:00:30Z',
        last_failure: { at: '2026-11-20T11:59:30Z', code: 'provider_failed' },
      }),
      breaker('c/for-good\u001b[2J', { ...open, by_hand: true }),
    ];
    const breakers = (shared: boolean) => () => ({ list: async () => ({ data, next_cursor: null, shared }) }) as never;
    const ran = await run(['breakers', 'list'], { breakers: breakers(true) });
    expect(ran).toMatchObject({ code: 0, error: '' });
    const [, first, second, third] = ran.out.split('\n');
    expect(first).toMatch(/^b\/for-a-time +model +open +2026-11-20T11:59:30Z +in 30 s +0 +provider_failed 2026-11-20T11:59:30Z$/);
    expect(second).toMatch(/^c\/for-good\u{FFFD}\[2J +model +open +hand +2026-11-20T11:59:30Z +never +0$/u);
    expect(third).toMatch(/^a\/closed +model +closed +0$/);
    expect((await run(['breakers', 'list'], { breakers: breakers(false) })).error).toContain('shares these states with no other');
    expect(JSON.parse((await run(['breakers', 'list', '--json'], { breakers: breakers(true) })).out)).toEqual({
      data,
      next_cursor: null,
      shared: true,
    });
  });

  test('open and close hand on what was asked for, and say when only one instance obeys', async () => {
    const asked: unknown[] = [];
    const breakers = (async (_configuration, env) => ({
      open: async (request) => (asked.push(request, env['HOLDFAST_API_KEY']), { ...breaker(request.name, open), shared: true }),
      close: async (request) => (asked.push(request), { ...breaker(request.name), shared: false }),
    })) as CliDependencies['breakers'];
    const env = { HOLDFAST_API_KEY: 'hf_operator' };
    expect(await run(['breakers', 'open', 'a/b/c', '--for', '10m'], { breakers, env })).toMatchObject({ code: 0, error: '' });
    expect(await run(['breakers', 'open', 'a/b/c'], { breakers, env })).toMatchObject({ code: 0 });
    const closing = await run(['breakers', 'close', 'a/b/c'], { breakers, env });
    expect(closing).toMatchObject({
      code: 0,
      out: expect.stringMatching(/a\/b\/c +model +closed/),
      error: expect.stringMatching(/Only the instance/),
    });
    expect(asked).toEqual([{ name: 'a/b/c', for_seconds: 600 }, 'hf_operator', { name: 'a/b/c' }, 'hf_operator', { name: 'a/b/c' }]);
  });

  test.each([
    ['without a name', ['breakers', 'open'], /missing required argument 'name'/],
    ['for a time that is none', ['breakers', 'open', 'a/b', '--for', 'ever'], /Give a duration/],
    ['for no time', ['breakers', 'open', 'a/b', '--for', '0s'], /details: \[\{"field":"for_seconds"/],
  ])('%s is refused before anybody is asked', async (_, line, message) => {
    const ran = await run(line);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.error).toMatch(message);
  });
});

describe('health', () => {
  const [diagnosed] = diagnosis.array().parse(diagnosis.meta()?.['examples']) as [DiagnosisBody];
  const [tested] = endpointTestReport.array().parse(endpointTestReport.meta()?.['examples']) as [EndpointTestReportBody];
  const report = (status: 'healthy' | 'degraded' | 'unhealthy') => ({
    status,
    timestamp: '2026-11-20T09:33:28.114Z',
    dependencies: [{ name: 'redis', status, message: 'fails\u001b[31m', response_time_ms: 0.4 }],
  });
  const server = (more: object): Pick<CliDependencies, 'health'> => ({
    health: async () => more as Awaited<ReturnType<CliDependencies['health']>>,
  });
  const ask = (line: string, more: object) => run(line.split(' '), server(more));

  test('shows how everything fares, and ends with 2 when it is unhealthy, or with --strict when it is not healthy', async () => {
    const shown = await ask('health', { detailed: async () => report('degraded') });
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/redis +degraded +0\.4 +fails\ufffd\[31m\nThe server is degraded\.\n$/);
    expect((await ask('health --strict', { detailed: async () => report('degraded') })).code).toBe(2);
    expect((await ask('health', { detailed: async () => report('unhealthy') })).code).toBe(2);
    expect(JSON.parse((await ask('health --json', { detailed: async () => report('healthy') })).out)).toEqual(report('healthy'));
  });

  test('a diagnosis says what was found, by what, and what to do, and ends with 2 from the severity on that is asked for', async () => {
    const asked: boolean[] = [];
    const diagnose = async (callProviders: boolean) => (asked.push(callProviders), diagnosed);
    const shown = await ask('diagnose', { diagnose });
    expect(shown.code).toBe(0);
    for (const word of [
      'WARNING database_locks (a bottleneck)',
      'waiting: 3; longest_ms: 12040',
      '\u2192 Find the holder',
      '1 finding at gateway-7d9f',
    ])
      expect(shown.out).toContain(word);
    expect((await ask('diagnose --fail-on warning', { diagnose })).code).toBe(2);
    expect((await ask('diagnose --fail-on nothing', { diagnose })).code).toBe(1);
    expect(JSON.parse((await ask('diagnose --json --call-providers', { diagnose })).out)).toEqual(diagnosed);
    expect(asked).toEqual([false, false, true]);
  });

  test('of the tests of endpoints it shows what did not pass, and ends with 2 when one failed', async () => {
    const shown = await ask('test-endpoints', { testEndpoints: async () => tested });
    expect(shown).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^skipped  POST \/api\/reload answers as described .*\n1 passed, 0 failed, 1 skipped/),
    });
    expect((await ask('test-endpoints', { testEndpoints: async () => ({ ...tested, failed: 1 }) })).code).toBe(2);
  });
});

describe('holdfast alerts', () => {
  const id = '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10';
  const alert: AlertBody = {
    ...{ id, rule: 'error-rate', labels: { model: 'fast' }, severity: 'critical', status: 'firing', unit: 'ratio', bad: 'above' },
    ...{ since: '2026-11-20T03:11:30.000Z', fired_at: '2026-11-20T03:12:30.000Z', resolved_at: null, value: 0.123456, threshold: 0.05 },
    ...{ acknowledged_at: null, acknowledged_by: null, acknowledgement_note: null },
  };
  const silence: AlertSilenceBody = {
    ...{ id, matchers: [{ label: 'rule', value: 'disk*' }], starts_at: '2026-11-20T12:00:00.000Z', ends_at: '2026-11-20T14:00:00.000Z' },
    ...{ reason: 'upgrade', created_by: null },
  };
  function server(answers: Partial<AlertCommands>) {
    const asked: unknown[] = [];
    const record =
      (answer: unknown) =>
      async (...words: unknown[]) => (asked.push(words), answer);
    const commands = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, record(answer)]));
    return { asked, alerts: async () => commands as unknown as AlertCommands };
  }

  test('list shows what is wrong, and takes the filters of the API', async () => {
    const { asked, alerts } = server({ list: { data: [alert], next_cursor: 'x' } as never });
    const { code, out, error } = await run(['alerts', 'list', '--status', 'firing', '--limit', '5'], { alerts });
    expect(code).toBe(0);
    expect(out).toMatch(/firing +critical +error-rate +2026-11-20T03:11:30.000Z +0\.1235 +above 0\.05 +model=fast/);
    expect(error).toMatch(/raise --limit/);
    expect(asked).toEqual([[{ limit: 5, status: 'firing' }]]);
    expect((await run(['alerts', 'list', '--status', 'burning'], { alerts })).code).toBe(1);
  });

  test('acknowledge, silence and unsilence say what became of it', async () => {
    const { asked, alerts } = server({
      acknowledge: { ...alert, acknowledged_at: alert.since, acknowledgement_note: 'on it' } as never,
      silence: silence as never,
      endSilence: silence as never,
    });
    expect((await run(['alerts', 'acknowledge', id, '--note', 'on it'], { alerts })).out).toMatch(/on it/);
    const made = await run(['alerts', 'silence', 'rule=disk*', 'severity=warning', '--until', '2h', '--reason', 'upgrade'], { alerts });
    expect(made.out).toMatch(/rule=disk\* +2026-11-20T12:00:00.000Z +2026-11-20T14:00:00.000Z +upgrade/);
    expect((await run(['alerts', 'unsilence', id, '--json'], { alerts })).out).toContain('"reason": "upgrade"');
    const matchers = [
      { label: 'rule', value: 'disk*' },
      { label: 'severity', value: 'warning' },
    ];
    expect(asked).toEqual([[id, { note: 'on it' }], [{ matchers, ends_at: '2026-11-20T14:00:00.000Z', reason: 'upgrade' }], [id]]);
    for (const line of [['disk'], ['rule=x'], ['rule=x', '--until', '2h']])
      expect((await run(['alerts', 'silence', ...line], { alerts })).code).toBe(1);
  });

  test('test needs no server, and ends with 1 when a channel did not take it', async () => {
    const results = (delivered: boolean) => async () => ({
      data: [
        {
          channel: 'slack',
          kind: 'slack',
          delivered,
          error: delivered ? null : 'alert_channel_refused',
          detail: delivered ? null : 'slack answered 404',
        },
      ],
      next_cursor: null,
    });
    expect(await run(['alerts', 'test'], { testAlerts: results(true) })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/slack +slack +delivered/),
    });
    expect(await run(['alerts', 'test'], { testAlerts: results(false) })).toMatchObject({
      code: 1,
      out: expect.stringMatching(/alert_channel_refused: slack answered 404/),
    });
    const none = await run(['alerts', 'test'], { testAlerts: async () => ({ data: [], next_cursor: null }) });
    expect(none).toMatchObject({ code: 1, out: expect.stringMatching(/HOLDFAST_ALERTS_SLACK_URL/) });
  });

  test('what a name in the database says cannot move the cursor', async () => {
    const { alerts } = server({ list: { data: [{ ...alert, labels: { model: '\u001b[2J' } }], next_cursor: null } as never });
    expect((await run(['alerts', 'list'], { alerts })).out).not.toContain('\u001b');
  });
});

test('log-level shows what is logged, sets it for a time, and refuses what is no level', async () => {
  const asked: unknown[] = [];
  const logLevel: CliDependencies['logLevel'] = async () => ({
    get: async () => ({ level: 'info', configured: 'info', until: null }),
    set: async (request) => {
      asked.push(request);
      return { level: request.level, configured: 'info', until: '2026-11-20T10:00:00.000Z' };
    },
  });
  expect(await run(['log-level'], { logLevel })).toEqual({ code: 0, out: 'info\n', error: '' });
  expect((await run(['log-level', 'debug', '--for', '10m'], { logLevel })).out).toBe(
    'debug (configured: info), until 2026-11-20T10:00:00.000Z\n',
  );
  expect(asked).toEqual([{ level: 'debug', for_seconds: 600 }]);
  expect((await run(['log-level', 'loud'], { logLevel })).code).toBe(1);
});

test('personal-data erase says in whose events, and how much is gone', async () => {
  const asked: unknown[] = [];
  const erasePersonalData: CliDependencies['erasePersonalData'] = async () => async (request) => {
    asked.push(request);
    return { references: asked.length };
  };
  const id = '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10';
  expect((await run(['personal-data', 'erase', 'end_user', 'anna', '--organization', id], { erasePersonalData })).out).toBe(
    '1 reference means nothing any more.\n',
  );
  expect((await run(['personal-data', 'erase', 'ip', '203.0.113.7'], { erasePersonalData })).out).toBe(
    '2 references mean nothing any more.\n',
  );
  expect(asked).toStrictEqual([
    { organization_id: id, kind: 'end_user', value: 'anna' },
    { organization_id: null, kind: 'ip', value: '203.0.113.7' },
  ]);
  expect((await run(['personal-data', 'erase', 'shoes', '42'], { erasePersonalData })).code).toBe(1);
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfiguration, Secret, type HttpProviderConfiguration } from './index.ts';

/** A working directory with these files. */
function folder(files: Readonly<Record<string, string>> = {}): string {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-config-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
    writeFileSync(path.join(cwd, name), text);
  }
  return cwd;
}

const load = (env: Record<string, string> = {}, file?: string) =>
  loadConfiguration({ env, cwd: folder(file === undefined ? {} : { 'holdfast.config.yaml': file }) });

describe('defaults', () => {
  test('nothing at all is a valid configuration, with a sandbox to call', () => {
    const cwd = folder();
    const configuration = loadConfiguration({ env: {}, cwd });

    expect(configuration.server).toEqual({
      host: '127.0.0.1',
      port: 8080,
      trustedProxies: [],
      trustedHops: 0,
      forwardingHeader: 'x-forwarded-for',
      ipv6PrefixLength: 64,
      dataDir: path.join(cwd, '.holdfast'),
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      drainTimeoutMs: 30_000,
    });
    expect(configuration.database).toEqual({ url: undefined, maxConnections: 100 });
    expect(configuration.limits).toEqual({ maxBodyBytes: 32 * 1024 * 1024, maxBodyDepth: 64 });
    expect(configuration.log).toMatchObject({ level: 'info', clientAddresses: 'pseudonym', file: undefined, json: undefined });
    expect(configuration.providers).toEqual([{ name: 'sandbox', kind: 'sandbox', options: { settings: {}, models: {} } }]);
    expect(configuration.models).toEqual([]);
    expect(configuration.file).toBeUndefined();
  });

  test('an empty file, empty sections and empty variables change nothing', () => {
    const configuration = load({ HOLDFAST_PORT: '', LOG_LEVEL: '  ', OPENAI_API_KEY: '' }, '# nothing\nserver:\nproviders:\nmodels:\n');
    expect(configuration.server.port).toBe(8080);
    expect(configuration.providers.map(({ name }) => name)).toEqual(['sandbox']);
    expect(load({}, '').server.port).toBe(8080);
  });

  test('is frozen through and through', () => {
    const configuration = load({ OPENAI_API_KEY: 'k' }, 'models: { fast: { targets: [openai/a] } }');
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      Object.values(value).forEach(walk);
    };
    walk(configuration);
    expect((configuration.providers[0] as HttpProviderConfiguration).apiKeys[0]).toBeInstanceOf(Secret);
  });
});

describe('precedence', () => {
  const file = 'server: { host: file.example, port: 1111, dataDir: data }\nlog: { level: debug }\n';

  test('command line over environment over file over default, and the origin says which', () => {
    const cwd = folder({ 'holdfast.config.yaml': file });
    const env = { HOLDFAST_PORT: '2222', LOG_LEVEL: 'WARNING' };
    const { server, log, origins } = loadConfiguration({ env, cwd, overrides: { server: { port: '3333' } } });

    expect([server.port, log.level, server.host, server.drainTimeoutMs]).toEqual([3333, 'warn', 'file.example', 30_000]);
    expect(origins['server.port']).toEqual({ source: 'override', text: 'command line' });
    expect(origins['log.level']).toEqual({ source: 'environment', text: 'environment LOG_LEVEL' });
    expect(origins['server.host']).toEqual({ source: 'file', text: 'holdfast.config.yaml:1' });
    expect(origins['server.drainTimeoutMs']).toEqual({ source: 'default', text: 'default' });
  });

  test('relative paths hang on the folder of the file, or on the working directory when they come from elsewhere', () => {
    const cwd = folder({ 'etc/holdfast.yaml': 'server: { dataDir: data }\nlog: { file: a.log }\n' });
    const env = { HOLDFAST_CONFIG: 'etc/holdfast.yaml', LOG_FILE: 'b.log' };
    const { server, log, file } = loadConfiguration({ env, cwd });
    expect(server.dataDir).toBe(path.join(cwd, 'etc/data'));
    expect(log.file).toBe(path.join(cwd, 'b.log'));
    expect(file).toBe(path.join('etc', 'holdfast.yaml'));
  });

  test('HOLDFAST_CONFIG replaces the file of the working directory, and may be JSON', () => {
    const cwd = folder({ 'holdfast.config.yaml': 'server: { port: 1 }', 'other.json': '{ "server": { "port": 2 } }' });
    expect(loadConfiguration({ env: { HOLDFAST_CONFIG: path.join(cwd, 'other.json') }, cwd }).server.port).toBe(2);
  });
});

describe('values of the environment', () => {
  test.each([
    ['DEBUG', 'debug'],
    ['Info', 'info'],
    ['WARNING', 'warn'],
    ['warn', 'warn'],
    ['ERROR', 'error'],
    ['CRITICAL', 'fatal'],
    ['fatal', 'fatal'],
    ['trace', 'trace'],
    ['silent', 'silent'],
  ])('LOG_LEVEL %s is %s', (given, level) => {
    expect(load({ LOG_LEVEL: given }).log.level).toBe(level);
  });

  test.each([
    ['true', true],
    ['1', true],
    ['YES', true],
    ['on', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['Off', false],
  ])('LOG_JSON_FORMAT %s is %s', (given, value) => {
    expect(load({ LOG_JSON_FORMAT: given }).log.json).toBe(value);
  });

  test('lists are comma-separated', () => {
    expect(load({ HOLDFAST_CORS_ORIGINS: 'https://a.example, http://localhost:3000,' }).cors.origins).toEqual([
      'https://a.example',
      'http://localhost:3000',
    ]);
  });

  test('proxies are addresses, ranges and words for ranges', () => {
    expect(load({ HOLDFAST_TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::1,loopback' }).server.trustedProxies).toEqual([
      '10.0.0.0/8',
      '2001:db8::1',
      'loopback',
    ]);
  });

  test('what a cluster injects for services called holdfast is ignored, HOLDFAST_PORT=tcp://… too', () => {
    const env = {
      HOLDFAST_SERVICE_HOST: '10.0.0.1',
      HOLDFAST_SERVICE_PORT: '80',
      HOLDFAST_SERVICE_PORT_HTTP: '80',
      HOLDFAST_PORT: 'tcp://10.0.0.1:80',
      HOLDFAST_PORT_80_TCP: 'tcp://10.0.0.1:80',
      HOLDFAST_PORT_80_TCP_ADDR: '10.0.0.1',
      HOLDFAST_REDIS_MASTER_SERVICE_HOST: '10.0.0.2',
      HOLDFAST_REDIS_MASTER_PORT: 'tcp://10.0.0.2:6379',
      HOLDFAST_REDIS_MASTER_PORT_6379_TCP_PROTO: 'tcp',
    };
    expect(load(env).server.port).toBe(8080);
  });

  test('what the client of the same shell is told is no setting of the server', () => {
    expect(load({ HOLDFAST_API_KEY: 'hf_a_key_of_a_client', HOLDFAST_BASE_URL: 'http://127.0.0.1:9' }).server.port).toBe(8080);
  });
});

describe('secrets', () => {
  test('come by value, by file or by the name of a variable, and say from where', () => {
    const cwd = folder({ 'run/url': 'postgres://u:p@h/d\n', 'run/key': 'file-key\r\n' });
    writeFileSync(
      path.join(cwd, 'holdfast.config.yaml'),
      [
        'providers:',
        '  value: { kind: openai, apiKey: value-key }',
        '  file: { kind: openai, apiKeyFile: run/key }',
        '  variable: { kind: anthropic, apiKeyEnv: HOLDFAST_OWN_NAME }',
        '  several: { kind: mistral, apiKeyEnv: [KEY_A, KEY_B] }',
        'secrets: { masterKeyEnv: ROOT_KEY }',
      ].join('\n'),
    );
    const root = 'ab'.repeat(32);
    const env = { DATABASE_URL_FILE: 'run/url', HOLDFAST_OWN_NAME: 'variable-key', KEY_A: 'a', KEY_B: 'b', ROOT_KEY: root };
    const { database, secrets, providers, origins } = loadConfiguration({ env, cwd });

    expect(database.url?.reveal()).toBe('postgres://u:p@h/d');
    expect(secrets.masterKey?.reveal()).toBe(root);
    expect((providers as HttpProviderConfiguration[]).map(({ apiKeys }) => apiKeys.map((key) => key.reveal()))).toEqual([
      ['value-key'],
      ['file-key'],
      ['variable-key'],
      ['a', 'b'],
    ]);
    expect(origins['database.url']?.text).toBe(`environment DATABASE_URL_FILE, ${path.join(cwd, 'run/url')}`);
    expect(origins['providers.variable.apiKey']?.text).toBe('holdfast.config.yaml:4, environment HOLDFAST_OWN_NAME');
  });

  test('the environment wins over the file', () => {
    const root = 'cd'.repeat(32);
    const { secrets } = load({ HOLDFAST_MASTER_KEY: root }, `secrets: { masterKey: ${'ab'.repeat(32)} }`);
    expect(secrets.masterKey?.reveal()).toBe(root);
  });

  test('a master key may be hex or base64, versioned, and one of several', () => {
    const base64 = Buffer.alloc(32, 7).toString('base64');
    expect(load({ HOLDFAST_MASTER_KEY: `# old\n1:${'ab'.repeat(32)}\n2:${base64}` }).secrets.masterKey).toBeInstanceOf(Secret);
  });
});

describe('providers', () => {
  test('a well-known variable makes a provider of that name', () => {
    const env = { OPENAI_API_KEY: '1', ANTHROPIC_API_KEY: '2', DEEPSEEK_API_KEY: '3', MISTRAL_API_KEY: '4', GEMINI_API_KEY: '5' };
    const { providers } = load(env);
    expect(providers.map(({ name, kind }) => [name, kind])).toEqual(
      ['openai', 'anthropic', 'deepseek', 'mistral', 'gemini'].map((name) => [name, name]),
    );
    expect((providers as HttpProviderConfiguration[]).map(({ apiKeys }) => apiKeys[0]?.reveal())).toEqual(['1', '2', '3', '4', '5']);
  });

  test('the file has the last word about a provider of that name, whatever its case', () => {
    const { providers } = load(
      { OPENAI_API_KEY: 'well-known' },
      'providers: { OpenAI: { kind: openai, baseUrl: "http://127.0.0.1:1/v1/" } }',
    );
    // The key of the variable is not sent to an address that somebody else answers.
    expect(providers).toEqual([{ name: 'OpenAI', kind: 'openai', baseUrl: 'http://127.0.0.1:1/v1', apiKeys: [], traceContext: false }]);
  });

  test('the sandbox is there when the file names one, with its settings', () => {
    const { providers, origins } = load(
      { OPENAI_API_KEY: 'k' },
      'providers: { lab: { kind: sandbox, latencyMs: 200, models: { slow.v1: { delayMs: 20 } } } }',
    );
    expect(providers.map(({ name }) => name)).toEqual(['lab', 'openai']);
    expect(providers[0]).toEqual({
      name: 'lab',
      kind: 'sandbox',
      options: { settings: { latencyMs: 200 }, models: { 'slow.v1': { delayMs: 20 } } },
    });
    expect(origins['providers.lab.models."slow.v1".delayMs']?.source).toBe('file');
  });

  test('ollama and servers of your own need no key', () => {
    const { providers } = load({}, 'providers: { local: { kind: ollama }, mine: { kind: openai, baseUrl: "http://10.0.0.1/v1" } }');
    expect((providers as HttpProviderConfiguration[]).map(({ baseUrl, apiKeys }) => [baseUrl, apiKeys.length])).toEqual([
      ['http://127.0.0.1:11434/v1', 0],
      ['http://10.0.0.1/v1', 0],
    ]);
  });
});

describe('models', () => {
  const withModel = (model: string) => load({}, `providers: { p: { kind: sandbox } }\nmodels: { fast: ${model} }`).models[0]!;

  test('targets keep their order, and the name of the model its slashes', () => {
    expect(withModel('{ targets: [p/a, p/meta/llama-3:70b, "p/demo?latencyMs=5"] }').targets).toEqual([
      { provider: 'p', model: 'a', weight: 1 },
      { provider: 'p', model: 'meta/llama-3:70b', weight: 1 },
      { provider: 'p', model: 'demo?latencyMs=5', weight: 1 },
    ]);
  });

  test('limits that are not set give way to those that are', () => {
    expect(withModel('{ targets: [p/a], limits: { totalMs: 5000 } }').limits).toEqual({
      connectMs: 5000,
      firstTokenMs: 5000,
      answerMs: 5000,
      stallMs: 5000,
      totalMs: 5000,
    });
    expect(withModel('{ targets: [p/a], limits: { firstTokenMs: 900000 } }').limits).toEqual({
      connectMs: 10_000,
      firstTokenMs: 900_000,
      answerMs: 900_000,
      stallMs: 60_000,
      totalMs: 900_000,
    });
  });

  test('a target can have a weight', () => {
    expect(withModel('{ targets: [p/a, { target: p/b, weight: 3 }] }').targets).toEqual([
      { provider: 'p', model: 'a', weight: 1 },
      { provider: 'p', model: 'b', weight: 3 },
    ]);
  });

  test('a model has a strategy, and asks in the order of its list where it says none', () => {
    expect(withModel('{ targets: [p/a] }').strategy).toBe('fallback');
    for (const strategy of ['fallback', 'weighted', 'latency', 'cost'] as const)
      expect(withModel(`{ targets: [p/a], strategy: ${strategy} }`).strategy).toBe(strategy);
  });

  test('second attempts are off by default, and one in twenty calls has one where they are on', () => {
    expect(withModel('{ targets: [p/a] }').hedge).toEqual({ enabled: false, afterPercentile: 95, maxExtraPercent: 5 });
    expect(withModel('{ targets: [p/a], hedge: { enabled: true, afterPercentile: 99, maxExtraPercent: 2.5 } }').hedge).toEqual({
      enabled: true,
      afterPercentile: 99,
      maxExtraPercent: 2.5,
    });
  });

  test('plain answers leave time for the other targets, unless told otherwise', () => {
    expect(withModel('{ targets: [p/a, p/b, p/c] }').limits.answerMs).toBe(200_000);
    expect(withModel('{ targets: [p/a, p/b, p/c], limits: { answerMs: 500000 } }').limits.answerMs).toBe(500_000);
  });

  test('what guards a target has the defaults of the kit', () => {
    const { retry, breaker, bulkhead, holdBackMs } = withModel('{ targets: [p/a] }');
    expect(retry).toEqual({ attempts: 3, firstDelayMs: 1000, factor: 2, maxDelayMs: 30_000, jitter: 'full', budgetPercent: 20 });
    expect(breaker).toEqual({ enabled: true, mode: 'consecutive', threshold: 5, ratio: 0.5, windowMs: 30_000, recoveryMs: 60_000 });
    expect(bulkhead).toEqual({ maxConcurrent: undefined, maxQueued: 100, maxQueueMs: 30_000 });
    expect(holdBackMs).toBe(0);
  });

  test('models may share a target of which they say the same', () => {
    const guarded = '{ targets: [p/a], breaker: { threshold: 3 } }';
    const { models, origins } = load({}, `providers: { p: { kind: sandbox } }\nmodels: { one: ${guarded}, two: ${guarded} }`);
    expect(models.map(({ breaker }) => breaker.threshold)).toEqual([3, 3]);
    expect(origins['models.one.breaker.threshold']?.source).toBe('file');
    expect(origins['models.one.breaker.recoveryMs']?.source).toBe('default');
  });
});

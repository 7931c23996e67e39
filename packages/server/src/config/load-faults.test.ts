import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isHoldfastError } from '@holdfast/kit/errors';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfiguration, type ConfigurationFault } from './index.ts';
import { settingEntries } from './settings.ts';

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string | Buffer;
  readonly files?: Readonly<Record<string, string>>;
}

function failure({ env = {}, file, files = {} }: Given): { readonly faults: readonly ConfigurationFault[]; readonly message: string } {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-config-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  if (file !== undefined) writeFileSync(path.join(cwd, 'holdfast.config.yaml'), file);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(cwd, name), text);
  try {
    loadConfiguration({ env, cwd });
  } catch (thrown) {
    if (!isHoldfastError(thrown) || thrown.code !== 'configuration_invalid') throw thrown;
    return { faults: (thrown.details as { faults: ConfigurationFault[] }).faults, message: thrown.message };
  }
  throw new Error('it was taken as valid');
}

const provider = 'p: { kind: sandbox }';
const model = (text: string): string => `providers: { ${provider} }\nmodels: { fast: ${text} }\n`;
const oneProvider = (text: string): string => `providers: { p: ${text} }\n`;

describe('each fault is told alone, where it stands', () => {
  test.each<[what: string, given: Given, where: string | RegExp, line: RegExp]>([
    // The environment
    [
      'a number out of range',
      { env: { HOLDFAST_PORT: '99999' } },
      'environment HOLDFAST_PORT',
      /server\.port: expected an integer from 0 to 65535, received 99999/,
    ],
    ['a number that is none', { env: { HOLDFAST_PORT: '80a' } }, 'environment HOLDFAST_PORT', /received "80a"/],
    ['a fraction', { env: { HOLDFAST_MAX_BODY_BYTES: '1.5e6' } }, 'environment HOLDFAST_MAX_BODY_BYTES', /expected an integer/],
    [
      'a word that is not among those known',
      { env: { LOG_LEVEL: 'loud' } },
      'environment LOG_LEVEL',
      /expected one of `trace`.*`critical`, received "loud"/,
    ],
    ['a flag that is none', { env: { LOG_JSON_FORMAT: 'maybe' } }, 'environment LOG_JSON_FORMAT', /expected `true` or `false`/],
    [
      'a host with a scheme',
      { env: { HOLDFAST_HOST: 'http://localhost' } },
      'environment HOLDFAST_HOST',
      /server\.host: expected a host name/,
    ],
    [
      'an origin with a path',
      { env: { HOLDFAST_CORS_ORIGINS: 'https://a.example/app' } },
      'environment HOLDFAST_CORS_ORIGINS',
      /cors\.origins: expected origins/,
    ],
    [
      'an unknown HOLDFAST_ name',
      { env: { HOLDFAST_PROT: '1' } },
      'environment HOLDFAST_PROT',
      /no such setting\. Did you mean HOLDFAST_PORT\?/,
    ],
    [
      'an unknown HOLDFAST_ name with nothing near',
      { env: { HOLDFAST_FROBNICATE_WIDGETS: '1' } },
      'environment HOLDFAST_FROBNICATE_WIDGETS',
      /no such setting/,
    ],
    [
      'a database URL that is none',
      { env: { DATABASE_URL: 'mysql://a@b/c', HOLDFAST_MASTER_KEY: 'ab'.repeat(32) } },
      'environment DATABASE_URL',
      /expected a URL like `postgres:/,
    ],
    [
      'a malformed master key',
      { env: { HOLDFAST_MASTER_KEY: 'correct horse battery staple' } },
      'environment HOLDFAST_MASTER_KEY',
      /expected 32 random bytes/,
    ],
    [
      'a bootstrap key that is too short',
      { env: { HOLDFAST_BOOTSTRAP_KEY: 'short' } },
      'environment HOLDFAST_BOOTSTRAP_KEY',
      /expected 32 to 256/,
    ],
    [
      'a provider key with a line break',
      { env: { OPENAI_API_KEY: 'a\nb' } },
      'environment OPENAI_API_KEY',
      /expected an API key, without spaces/,
    ],
    [
      'a secret by value and by file',
      { env: { OPENAI_API_KEY: 'a', OPENAI_API_KEY_FILE: 'b' } },
      'environment OPENAI_API_KEY',
      /both OPENAI_API_KEY and OPENAI_API_KEY_FILE are set/,
    ],
    [
      'a secret file that is not there',
      { env: { OPENAI_API_KEY_FILE: 'nowhere' } },
      'environment OPENAI_API_KEY_FILE',
      /cannot be read: there is no such file/,
    ],
    [
      'a secret file that is empty',
      { env: { OPENAI_API_KEY_FILE: 'empty' }, files: { empty: '\n' } },
      'environment OPENAI_API_KEY_FILE',
      /it is empty/,
    ],
    ['a secret file that is a folder', { env: { OPENAI_API_KEY_FILE: '.' } }, 'environment OPENAI_API_KEY_FILE', /it is a folder/],
    ['a secret file without end', { env: { OPENAI_API_KEY_FILE: '/dev/zero' } }, 'environment OPENAI_API_KEY_FILE', /not a regular file/],
    [
      'a secret file that is huge',
      { env: { OPENAI_API_KEY_FILE: 'huge' }, files: { huge: 'x'.repeat(70_000) } },
      'environment OPENAI_API_KEY_FILE',
      /too large/,
    ],

    // The file as a file
    [
      'a file that is named and not there',
      { env: { HOLDFAST_CONFIG: 'nowhere.yaml' } },
      /^environment HOLDFAST_CONFIG/,
      /cannot be read: there is no such file/,
    ],
    ['a file that is a folder', { env: { HOLDFAST_CONFIG: '.' } }, /^environment HOLDFAST_CONFIG/, /not a regular file/],
    ['a file that is too large', { file: `# ${'x'.repeat(1_100_000)}` }, 'holdfast.config.yaml', /larger than 524288 bytes/],
    ['a file that is not UTF-8', { file: Buffer.from([0x61, 0x3a, 0x20, 0xff]) }, 'holdfast.config.yaml', /it is not UTF-8/],
    [
      'two files',
      { file: 'server:', files: { 'holdfast.config.json': '{}' } },
      'holdfast.config.yaml, holdfast.config.json',
      /more than one configuration file/,
    ],
    ['a file that is no map', { file: '- a\n- b\n' }, /^holdfast\.config\.yaml/, /expected a map of sections/],
    [
      'a file that does not parse',
      { file: 'server:\n  port: "80\n' },
      /^holdfast\.config\.yaml:\d+:\d+$/,
      /a quote, a bracket, a colon or a space is missing/,
    ],
    [
      'a key that stands twice',
      { file: 'server: { port: 1 }\nserver: { port: 2 }\n' },
      'holdfast.config.yaml:2:1',
      /the key server stands here twice/,
    ],

    // Names and values of the file
    ['an unknown section', { file: 'sever: { port: 1 }' }, 'holdfast.config.yaml:1:1', /no setting sever\. Did you mean server\?/],
    [
      'an unknown key',
      { file: 'server:\n  host: a\n  prot: 1\n' },
      'holdfast.config.yaml:3:3',
      /server\.prot: there is no setting prot\. Did you mean port\?/,
    ],
    ['snake_case', { file: 'limits: { max_body_bytes: 5000 }' }, 'holdfast.config.yaml:1:11', /Did you mean maxBodyBytes\?/],
    ['a section that is no map', { file: 'server: 8080' }, 'holdfast.config.yaml:1:1', /server: expected a map/],
    [
      'a value of the wrong type',
      { file: 'server: { port: "8080" }' },
      'holdfast.config.yaml:1:11',
      /expected an integer from 0 to 65535, received "8080"/,
    ],
    ['a value that is missing', { file: 'server: { port: }' }, 'holdfast.config.yaml:1:11', /received nothing/],
    [
      'a value in the file that the environment hides',
      { env: { HOLDFAST_PORT: '1' }, file: 'server: { port: -1 }' },
      'holdfast.config.yaml:1:11',
      /received -1/,
    ],
    ['a secret that is no text', { file: 'secrets: { masterKey: 12345 }' }, 'holdfast.config.yaml:1:12', /expected a text/],
    ['two forms of one secret', { file: 'secrets: { masterKey: a, masterKeyFile: b }' }, /holdfast/, /masterKey and masterKeyFile are set/],

    [
      'a proxy that is no address',
      { env: { HOLDFAST_TRUSTED_PROXIES: '10.0.0.0/8,10.0.0.0/33' } },
      'environment HOLDFAST_TRUSTED_PROXIES',
      /trustedProxies: expected a list of addresses, CIDR ranges/,
    ],
    [
      'proxies named in two ways',
      { file: 'server: { trustedProxies: [loopback], trustedHops: 1 }' },
      'holdfast.config.yaml:1',
      /trustedHops: server\.trustedProxies is set too/,
    ],
    [
      'two receivers of traces',
      {
        env: {
          SENTRY_DSN: 'https://key@sentry.test/1',
          SENTRY_TRACES_SAMPLE_RATE: '0.1',
          OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
        },
      },
      'environment SENTRY_TRACES_SAMPLE_RATE',
      /tracesSampleRate: traces have another receiver already/,
    ],

    // Providers
    ['a provider that is no map', { file: oneProvider('openai') }, 'holdfast.config.yaml:1:14', /expected a map such as/],
    ['a provider without kind', { file: oneProvider('{ apiKey: a }') }, /yaml:1:14/, /kind is missing\. Known kinds: openai/],
    ['an unknown kind', { file: oneProvider('{ kind: antropic }') }, /yaml:1:19/, /no kind "antropic"\. Did you mean anthropic\?/],
    ['an unknown kind with nothing near', { file: oneProvider('{ kind: 7 }') }, /yaml:1:19/, /no kind 7\. Known kinds:/],
    [
      'an unknown key of a provider',
      { file: oneProvider('{ kind: ollama, base_url: "http://a" }') },
      /yaml:1:33/,
      /Did you mean baseUrl\?/,
    ],
    ['a provider name with a slash', { file: 'providers: { a/b: { kind: sandbox } }' }, /yaml/, /cannot have a slash/],
    ['a provider name with a space', { file: 'providers: { "a b": { kind: sandbox } }' }, /yaml/, /is made of letters/],
    ['a provider called __proto__', { file: 'providers: { __proto__: { kind: sandbox } }' }, /yaml/, /is made of letters/],
    [
      'two names that differ in case only',
      { file: 'providers: { lab: { kind: sandbox }, LAB: { kind: sandbox } }' },
      /yaml/,
      /a provider lab already/,
    ],
    ['an address that is none', { file: oneProvider('{ kind: ollama, baseUrl: localhost }') }, /yaml/, /baseUrl: expected an absolute URL/],
    ['an address of another scheme', { file: oneProvider('{ kind: ollama, baseUrl: "ftp://a/v1" }') }, /yaml/, /only http and https/],
    ['an address with a query', { file: oneProvider('{ kind: ollama, baseUrl: "http://a/v1?key=1" }') }, /yaml/, /must not have a query/],
    [
      'an address with a password',
      { file: oneProvider('{ kind: ollama, baseUrl: "http://u:p@a/v1" }') },
      /yaml/,
      /must not hold a user name or password/,
    ],
    ['an address that is a list', { file: oneProvider('{ kind: ollama, baseUrl: [a] }') }, /yaml/, /expected a URL/],
    ['azure without an address', { file: oneProvider('{ kind: azure, apiKey: a }') }, /yaml/, /kind azure needs a baseUrl/],
    [
      'azure without a key',
      { file: oneProvider('{ kind: azure, baseUrl: "https://a.openai.azure.com/openai/v1" }') },
      /yaml/,
      /needs a key\. Add apiKeyEnv with/,
    ],
    ['a known address without a key', { file: oneProvider('{ kind: openai }') }, /yaml/, /needs a key\. Add apiKeyEnv: OPENAI_API_KEY/],
    [
      'a variable that is not set',
      { file: oneProvider('{ kind: openai, apiKeyEnv: PRIMARY_KEY }') },
      /yaml:1:33/,
      /no variable PRIMARY_KEY/,
    ],
    ['an empty list of keys', { file: oneProvider('{ kind: openai, apiKeyEnv: [] }') }, /yaml/, /expected a text or a list of texts/],
    [
      'one key twice',
      { env: { A: 'k', B: 'k' }, file: oneProvider('{ kind: openai, apiKeyEnv: [A, B] }') },
      /yaml/,
      /the same key is given twice/,
    ],
    [
      'a setting that the sandbox has not',
      { file: oneProvider('{ kind: sandbox, latency: 5 }') },
      /yaml:1:34/,
      /no setting latency\. Did you mean latencyMs\?/,
    ],
    [
      'a wrong setting of the sandbox',
      { file: oneProvider('{ kind: sandbox, latencyMs: -5 }') },
      /yaml:1:34/,
      /providers\.p\.latencyMs: it must be a whole number/,
    ],
    [
      'a wrong setting of a model of the sandbox',
      { file: oneProvider('{ kind: sandbox, models: { "a.b": { tokens: many } } }') },
      /yaml/,
      /providers\.p\.models\."a\.b"\.tokens: it must be/,
    ],
    [
      'models of the sandbox that are no map',
      { file: oneProvider('{ kind: sandbox, models: [a] }') },
      /yaml/,
      /expected a map of settings by the name/,
    ],

    // Models
    [
      'settings of a model of the sandbox that are no map',
      { file: oneProvider('{ kind: sandbox, models: { a: 5 } }') },
      /yaml/,
      /models\.a: expected a map of settings/,
    ],
    ['a model that is no map', { file: model('[p/a]') }, /yaml:2/, /models\.fast: expected a map such as/],
    [
      'a model name with a slash',
      { file: `providers: { ${provider} }\nmodels: { a/b: { targets: [p/a] } }` },
      /yaml:2/,
      /cannot have a slash/,
    ],
    [
      'a model name with a space',
      { file: `providers: { ${provider} }\nmodels: { "a b": { targets: [p/a] } }` },
      /yaml:2/,
      /is made of letters/,
    ],
    ['a model without targets', { file: model('{}') }, /yaml:2/, /models\.fast\.targets: it is missing/],
    ['an empty list of targets', { file: model('{ targets: [] }') }, /yaml:2/, /expected a list of 1 to 32/],
    [
      'a target without provider',
      { file: model('{ targets: [gpt-4o] }') },
      /yaml:2/,
      /targets\[0\]: expected provider\/model, or .*, received "gpt-4o"/,
    ],
    [
      'a target of an unknown provider',
      { file: 'providers: { primary: { kind: sandbox } }\nmodels: { fast: { targets: [primray/a] } }' },
      'holdfast.config.yaml:2:29',
      /no provider primray\. Did you mean primary\?/,
    ],
    ['a target that is named twice', { file: model('{ targets: [p/a, p/a] }') }, /yaml:2/, /targets\[1\]: p\/a is named twice/],
    ['an unknown key of a model', { file: model('{ targets: [p/a], limit: {} }') }, /yaml:2/, /Did you mean limits\?/],
    ['an unknown limit', { file: model('{ targets: [p/a], limits: { stalMs: 5 } }') }, /yaml:2/, /Did you mean stallMs\?/],
    [
      'a limit out of range',
      { file: model('{ targets: [p/a], limits: { stallMs: 0 } }') },
      /yaml:2/,
      /stallMs: expected an integer from 1/,
    ],
    [
      'a weight of nothing',
      { file: model('{ targets: [{ target: p/a, weight: 0 }] }') },
      /yaml:2/,
      /targets\[0\]\.weight: expected a number from 0\.001/,
    ],
    ['an unknown key of a target', { file: model('{ targets: [{ target: p/a, wieght: 2 }] }') }, /yaml:2/, /Did you mean weight\?/],
    [
      'a target of a map without one',
      { file: model('{ targets: [{ weight: 2 }] }') },
      /yaml:2/,
      /targets\[0\]: expected provider\/model, or \{ target:/,
    ],
    [
      'no attempt at all',
      { file: model('{ targets: [p/a], retry: { attempts: 0 } }') },
      /yaml:2/,
      /retry\.attempts: expected an integer from 1 to 10/,
    ],
    [
      'a jitter that does not exist',
      { file: model('{ targets: [p/a], retry: { jitter: some } }') },
      /yaml:2/,
      /retry\.jitter: expected one of `full`, `none`/,
    ],
    ['an unknown key of a retry', { file: model('{ targets: [p/a], retry: { attemps: 2 } }') }, /yaml:2/, /Did you mean attempts\?/],
    ['a retry that is no map', { file: model('{ targets: [p/a], retry: 3 }') }, /yaml:2/, /retry: expected a map, received 3/],
    [
      'an unknown mode of a breaker',
      { file: model('{ targets: [p/a], breaker: { mode: both } }') },
      /yaml:2/,
      /breaker\.mode: expected one of/,
    ],
    [
      'a bulkhead without room',
      { file: model('{ targets: [p/a], bulkhead: { maxConcurrent: 0 } }') },
      /yaml:2/,
      /bulkhead\.maxConcurrent: expected an integer from 1/,
    ],
    [
      'a strategy that there is not',
      { file: model('{ targets: [p/a], strategy: random }') },
      /yaml:2/,
      /strategy: expected one of `fallback`, `weighted`, `latency`, `cost`/,
    ],
    [
      'a hedge after more than everything',
      { file: model('{ targets: [p/a], hedge: { enabled: true, afterPercentile: 101 } }') },
      /yaml:2/,
      /hedge\.afterPercentile: expected a number from 1 to 100/,
    ],
    [
      'a hedge with a delay',
      { file: model('{ targets: [p/a], hedge: { delayMs: 5 } }') },
      /yaml:2/,
      /models\.fast\.hedge\.delayMs: there is no setting/,
    ],
    [
      'a hold-back of minutes',
      { file: model('{ targets: [p/a], holdBackMs: 600000 }') },
      /yaml:2/,
      /holdBackMs: expected an integer from 0 to 60000/,
    ],
    ['limits that are no map', { file: model('{ targets: [p/a], limits: 5 }') }, /yaml:2/, /limits: expected a map, received 5/],

    // Contradictions
    [
      'a stall longer than the call',
      { file: model('{ targets: [p/a], limits: { stallMs: 9000, totalMs: 5000 } }') },
      /yaml:2/,
      /stallMs: it is longer than totalMs \(9000 > 5000\)/,
    ],
    [
      'a first token later than the call',
      { file: model('{ targets: [p/a], limits: { firstTokenMs: 9000, totalMs: 5000 } }') },
      /yaml:2/,
      /firstTokenMs: it is longer than totalMs/,
    ],
    [
      'a connection later than the call',
      { file: model('{ targets: [p/a], limits: { connectMs: 9000, totalMs: 5000 } }') },
      /yaml:2/,
      /connectMs: it is longer than totalMs/,
    ],
    [
      'an answer later than the call',
      { file: model('{ targets: [p/a], limits: { answerMs: 9000, totalMs: 5000 } }') },
      /yaml:2/,
      /answerMs: it is longer than totalMs/,
    ],
    [
      'two breakers for one target',
      { file: `providers: { ${provider} }\nmodels:\n  a: { targets: [p/x] }\n  b: { targets: [p/y, p/x], breaker: { threshold: 3 } }` },
      'holdfast.config.yaml:4:40',
      /models\.b\.breaker\.threshold: it is 3 here and 5 in models\.a, and both lead to p\/x, which has one breaker\. Say the same in both/,
    ],
    [
      'two bulkheads for one target',
      { file: `providers: { ${provider} }\nmodels:\n  a: { targets: [p/x], bulkhead: { maxConcurrent: 5 } }\n  b: { targets: [p/x] }` },
      /yaml:4/,
      /models\.b\.bulkhead\.maxConcurrent: it is not set here and 5 in models\.a/,
    ],
    [
      'two retry budgets for one target',
      {
        file: `providers: { ${provider} }\nmodels:\n  a: { targets: [p/x], retry: { budgetPercent: 5 } }\n  b: { targets: [p/x], retry: { attempts: 2 } }`,
      },
      /yaml:4/,
      /models\.b\.retry\.budgetPercent: it is 20 here and 5 in models\.a, .* one retry budget/,
    ],
    [
      'a database of your own without a master key',
      { env: { DATABASE_URL: 'postgres://u:p@h/d' } },
      'environment DATABASE_URL',
      /a master key has to be set/,
    ],
    [
      'headers that may take longer than the request',
      { env: { HOLDFAST_HEADERS_TIMEOUT_MS: '9000', HOLDFAST_REQUEST_TIMEOUT_MS: '5000' } },
      'environment HOLDFAST_HEADERS_TIMEOUT_MS',
      /longer than server\.requestTimeoutMs/,
    ],
    [
      'every origin and some beside it',
      { env: { HOLDFAST_CORS_ORIGINS: '*,https://a.example' } },
      'environment HOLDFAST_CORS_ORIGINS',
      /allows every origin/,
    ],
  ])('%s', (_, given, where, line) => {
    const { faults, message } = failure(given);
    expect(faults).toHaveLength(1);
    if (typeof where === 'string') expect(faults[0]!.where).toBe(where);
    else expect(faults[0]!.where).toMatch(where);
    expect(message).toMatch(line);
    expect(message).toMatch(/^The configuration has a fault:\n {2}- /);
  });

  test('a file that may not be read', ({ skip }) => {
    if (process.getuid?.() === 0) skip('root may read everything');
    const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-config-'));
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
    writeFileSync(path.join(cwd, 'holdfast.config.yaml'), '');
    chmodSync(path.join(cwd, 'holdfast.config.yaml'), 0);
    expect(() => loadConfiguration({ env: {}, cwd })).toThrow(/this user may not read it/);
  });
});

test('all faults of all sources are told at once', () => {
  const { faults, message } = failure({
    env: { HOLDFAST_PORT: 'x', HOLDFAST_PROT: '1', DATABASE_URL: 'postgres://u:p@h/d', LOG_LEVEL: 'loud' },
    file: 'sever: {}\nlog: { levle: info }\nproviders: { p: { kind: nope } }\nmodels: { fast: { targets: [q/a], limits: { totalMs: 0 } } }\n',
  });
  expect(faults.map(({ where }) => where).toSorted()).toEqual(
    [
      'holdfast.config.yaml:1:1',
      'holdfast.config.yaml:2:8',
      'holdfast.config.yaml:3:19',
      'holdfast.config.yaml:4:29',
      'holdfast.config.yaml:4:45',
      'environment HOLDFAST_PORT',
      'environment LOG_LEVEL',
      'environment HOLDFAST_PROT',
      'environment DATABASE_URL',
    ].toSorted(),
  );
  expect(message.split('\n')).toHaveLength(faults.length + 1);
});

test('a target of a faulty provider is no second fault', () => {
  const { faults } = failure({ file: 'providers: { p: { kind: nope } }\nmodels: { fast: { targets: [p/a] } }\n' });
  expect(faults).toHaveLength(1);
});

test('while the file does not parse, nothing is called unknown or missing for want of it', () => {
  const { faults } = failure({ env: { HOLDFAST_OWN_KEY: 'named in the file', DATABASE_URL: 'postgres://u:p@h/d' }, file: 'a: [' });
  expect(faults.map(({ where }) => where)).toEqual([expect.stringMatching(/^holdfast\.config\.yaml:/)]);
});

test('a file of a thousand faults is a list that can be read', () => {
  const file = Array.from({ length: 1000 }, (_, index) => `unknown${index}: 1`).join('\n');
  const { faults, message } = failure({ file });
  expect(faults).toHaveLength(100);
  expect(message).toContain('The configuration has 1000 faults');
  expect(message).toContain('and 900 more');
});

test('no secret stands in any fault, nor what was written in the place of one', () => {
  const secret = 'sk-live-Zx81kQ7p';
  const secretSettings = settingEntries.filter(({ setting }) => setting.secret);
  expect(secretSettings.length).toBeGreaterThan(2);
  const cases: Given[] = [
    ...secretSettings.flatMap(({ section, name, setting }): Given[] => [
      { env: { [setting.environment]: `${secret} \u0001` } },
      { env: { [`${setting.environment}_FILE`]: secret } },
      { env: { [setting.environment]: secret, [`${setting.environment}_FILE`]: secret } },
      { file: `${section}: { ${name}: "${secret} x" }` },
      { file: `${section}: { ${name}: ["${secret}"] }` },
      { file: `${section}: { ${name}File: "${secret}" }` },
      { file: `${section}: { ${name}Env: "${secret}" }` },
      { file: `${section}: { ${name}: "${secret}", ${name}Env: "${secret}" }` },
    ]),
    { env: { OPENAI_API_KEY: `${secret} x` } },
    { file: oneProvider(`{ kind: openai, apiKey: "${secret} x" }`) },
    { file: oneProvider(`{ kind: openai, apiKey: { a: "${secret}" } }`) },
    { file: oneProvider(`{ kind: openai, apiKeyEnv: ${secret} }`) },
    { file: oneProvider(`{ kind: openai, apiKeyFile: ${secret} }`) },
    { file: oneProvider(`{ kind: openai, apiKey: [${secret}, ${secret}] }`) },
    { file: oneProvider(`{ kind: openai, apiKey: a, baseUrl: "https://user:${secret}@host/v1" }`) },
    { file: oneProvider(`{ kind: openai, apiKey: a, baseUrl: "https://host/v1?key=${secret}" }`) },
    { file: oneProvider(`{ kind: openai, apiKey: a, baseUrl: "${secret}" }`) },
    // Malformed YAML around a secret: the parser's own messages quote the text.
    { file: `providers:\n  p: { kind: openai, apiKey: "${secret} }\n` },
    { file: `providers:\n  p:\n    apiKey: "a" ${secret}\n` },
    { file: `providers:\n  p:\n    apiKey: *${secret}\n` },
    { file: `providers:\n  p:\n    apiKey: !${secret} a\n` },
    { file: `%${secret}\n---\na: 1\n` },
    { file: `providers:\n  p:\n    apiKey: "\\${secret}"\n` },
    { file: `providers:\n  p:\n    apiKey: ${secret}\n     b: c\n` },
  ];
  for (const given of cases) {
    const { faults, message } = failure(given);
    expect(message).not.toContain(secret);
    expect(JSON.stringify(faults)).not.toContain(secret);
  }
});

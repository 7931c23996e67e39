import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { parseYaml } from './file/parse-yaml.ts';
import { configurationEntries, loadConfiguration, printConfiguration, type Configuration } from './index.ts';
import { settingEntries } from './settings.ts';

function load(env: Record<string, string>, file: string): Configuration {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-print-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(path.join(cwd, 'holdfast.config.yaml'), file);
  return loadConfiguration({ env, cwd });
}

const file = `
providers:
  primary: { kind: openai, baseUrl: "http://127.0.0.1:9100/v1", apiKeyEnv: [KEY_A, KEY_B] }
  lab: { kind: sandbox, latencyMs: 200, models: { slow: { delayMs: 20 } } }
models:
  gpt-3.5: { targets: [primary/gpt-3.5-turbo, lab/demo] }
log: { level: debug }
cors: { origins: ["https://a.example"] }
`;
const env = {
  KEY_A: 'sk-a-111',
  KEY_B: 'sk-b-222',
  DATABASE_URL: 'postgres://u:pa55word@h/d',
  HOLDFAST_MASTER_KEY: 'ab'.repeat(32),
  HOLDFAST_PORT: '9000',
};

test('shows every setting, its value in force, and where it came from', () => {
  const text = printConfiguration(load(env, file));
  for (const { name } of settingEntries) expect(text).toMatch(new RegExp(`^ +(?:# )?${name}: .+ # .+$`, 'm'));
  expect(text).toMatch(/^ {2}port: 9000 +# environment HOLDFAST_PORT$/m);
  expect(text).toMatch(/^ {2}level: debug +# holdfast\.config\.yaml:7$/m);
  expect(text).toMatch(/^ {2}maxConnections: 100 +# default$/m);
  expect(text).toMatch(
    /^ {4}# apiKey: \(2 keys set\) +# holdfast\.config\.yaml:3, environment KEY_A; holdfast\.config\.yaml:3, environment KEY_B$/m,
  );
  expect(text).toMatch(/^ {4}latencyMs: 200 +# holdfast\.config\.yaml:4$/m);
  expect(text).toMatch(/^ {8}delayMs: 20 +# holdfast\.config\.yaml:4$/m);
});

test('is a file of the same shape: read again it says the same', () => {
  const configuration = load(env, file);
  const { root } = parseYaml(printConfiguration(configuration));
  expect(root).toMatchObject({
    server: { host: '127.0.0.1', port: 9000, dataDir: configuration.server.dataDir },
    cors: { origins: ['https://a.example'] },
    providers: {
      primary: { kind: 'openai', baseUrl: 'http://127.0.0.1:9100/v1' },
      lab: { kind: 'sandbox', latencyMs: 200, models: { slow: { delayMs: 20 } } },
    },
    models: { 'gpt-3.5': { targets: ['primary/gpt-3.5-turbo', 'lab/demo'], limits: { connectMs: 10_000, totalMs: 600_000 } } },
  });
});

test('no secret is shown, neither printed, nor listed, nor inspected, nor as JSON', () => {
  const configuration = load(env, file);
  const shown = [
    printConfiguration(configuration),
    JSON.stringify(configurationEntries(configuration)),
    JSON.stringify(configuration),
    inspect(configuration, { depth: 20, showHidden: true }),
  ];
  for (const text of shown) {
    for (const secret of ['sk-a-111', 'sk-b-222', 'pa55word', 'ab'.repeat(32)]) expect(text).not.toContain(secret);
  }
});

test('every value in force has an origin', () => {
  const configuration = load(env, file);
  for (const { path: at, origin } of configurationEntries(configuration)) {
    if (at[0] === 'providers' && at[1] === 'lab') expect(origin.source).toBe('file');
    expect(origin.text).not.toBe('');
  }
  expect(configurationEntries(configuration).find(({ path: at }) => at.join('.') === 'models.gpt-3.5.targets')?.origin.text).toBe(
    'holdfast.config.yaml:6',
  );
});

test('what is printed of a model is the model: read again it is the same configuration', () => {
  const model = `{ targets: [lab/a, { target: lab/b, weight: 3 }], retry: { attempts: 2, jitter: none }, breaker: { mode: ratio, ratio: 0.25 }, bulkhead: { maxConcurrent: 7 }, holdBackMs: 250 }`;
  const written = load({}, `providers: { lab: { kind: sandbox } }\nmodels: { fast: ${model}, plain: { targets: [lab/c] } }`);
  const text = printConfiguration(written);
  expect(text).toMatch(/^ {6}# maxConcurrent: \(not set\) +# default$/m);
  const { providers, models } = load({}, text.slice(text.indexOf('providers:')));
  expect([providers, models]).toEqual([written.providers, written.models]);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  compareConfigurations,
  configurationDigest,
  loadConfiguration,
  reloadableParts,
  restartRequired,
  settingEntries,
  type Configuration,
} from './index.ts';

function load(file: object, env: Record<string, string> = {}, secretFile?: string): Configuration {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-compare-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(path.join(cwd, 'holdfast.config.yaml'), JSON.stringify(file));
  if (secretFile !== undefined) writeFileSync(path.join(cwd, 'key'), secretFile);
  return loadConfiguration({ env: { HOLDFAST_DATA_DIR: '/var/lib/holdfast', ...env }, cwd });
}

const providers = { primary: { kind: 'openai', apiKey: 'sk-one' }, lab: { kind: 'sandbox' } };
const models = { fast: { targets: ['primary/gpt-4o-mini'] }, slow: { targets: ['primary/gpt-4o'], limits: { totalMs: 1_000 } } };
const prices = { openai: { 'gpt-4o': { input: 1, output: 2 } } };
const base = { providers, models, prices };
const key = Buffer.alloc(32, 7);
const none = { added: [], removed: [], changed: [] };

test('the same file says the same, whatever the order of its keys and the folder that it lies in', () => {
  const again = {
    prices,
    models: { slow: { limits: { totalMs: 1_000 }, targets: ['primary/gpt-4o'] }, fast: models.fast },
    providers: { lab: providers.lab, primary: { apiKey: 'sk-one', kind: 'openai' } },
  };
  expect(compareConfigurations(load(base), load(again))).toEqual({
    providers: none,
    models: none,
    prices: none,
    rate_limits: none,
    alert_rules: none,
    alert_channels: none,
    log: none,
  });
  expect(configurationDigest(load(again), key)).toBe(configurationDigest(load(base), key));
});

test('what is added, removed and changed is named by part', () => {
  const after = load({
    providers: { primary: { kind: 'openai', apiKey: 'sk-two' }, backup: { kind: 'ollama' } },
    models: { fast: { targets: ['backup/llama', 'primary/gpt-4o-mini'] }, smart: { targets: ['primary/gpt-4o'] } },
    prices: { openai: { 'gpt-4o': { input: 1, output: 3 }, 'gpt-5': { input: 1, output: 2 } } },
    rateLimits: {
      shadow: true,
      levels: { ip: false, key: { requestsPerMinute: 5 } },
      tiers: { gold: {}, basic: { requestsPerMinute: 5 } },
      endpoints: { 'POST /v1/embeddings': { requestsPerMinute: 5 } },
    },
  });
  expect(compareConfigurations(load(base), after)).toEqual({
    providers: { added: ['backup'], removed: ['lab'], changed: ['primary'] },
    models: { added: ['smart'], removed: ['slow'], changed: ['fast'] },
    prices: { added: ['openai/gpt-5'], removed: [], changed: ['openai/gpt-4o'] },
    rate_limits: {
      added: ['endpoints.POST /v1/embeddings', 'levels.key', 'tiers.gold'],
      removed: ['levels.ip'],
      changed: ['shadow', 'tiers.basic'],
    },
    alert_rules: none,
    alert_channels: none,
    log: none,
  });
});

test('a key that was exchanged in its file is a change of its provider, and is not told', () => {
  const file = { ...base, providers: { ...providers, primary: { kind: 'openai', apiKeyFile: 'key' } } };
  const [before, after] = [load(file, {}, 'sk-before'), load(file, {}, 'sk-after')];
  const changes = compareConfigurations(before, after);
  expect(changes.providers).toEqual({ added: [], removed: [], changed: ['primary'] });
  expect(configurationDigest(before, key)).not.toBe(configurationDigest(after, key));
  expect(JSON.stringify(changes)).not.toMatch(/sk-/);
});

test('the log level is put in force by a reload', () => {
  const [before, after] = [load(base), load(base, { LOG_LEVEL: 'debug' })];
  expect(compareConfigurations(before, after).log).toEqual({ added: [], removed: [], changed: ['level'] });
  expect(restartRequired(before, after)).toEqual([]);
});

test('rules and channels of alerts are put in force by a reload', () => {
  const of = (alerts: object) => load({ ...base, alerts });
  const own = { metric: 'spend_usd', above: 5, summary: 'much' };
  const before = of({ rules: { 'error-rate': false, spend: own } });
  const after = of({
    rules: { spend: { ...own, above: 6 } },
    channels: { ops: { kind: 'slack', url: 'https://hooks.slack.com/services/x' } },
  });
  expect(compareConfigurations(before, after).alert_rules).toEqual({ added: ['error-rate'], removed: [], changed: ['spend'] });
  expect(compareConfigurations(before, after).alert_channels).toEqual({ added: ['ops'], removed: [], changed: [] });
  // The first channel is what switches them on.
  expect(restartRequired(before, after)).toEqual(['alerts.enabled']);
  expect(configurationDigest(before, key)).not.toBe(configurationDigest(after, key));
});

describe('settings of a start', () => {
  test('are no change of what can be reloaded, and are named as waiting for a restart', () => {
    const env = {
      HOLDFAST_PORT: '1234',
      LOG_FILE: 'holdfast.log',
      DATABASE_URL: 'postgres://u:p@h/d',
      HOLDFAST_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    };
    const [before, after] = [load(base), load(base, env)];
    expect(restartRequired(before, after)).toEqual(['server.port', 'database.url', 'secrets.masterKey', 'log.file']);
    expect(compareConfigurations(before, after)).toEqual({
      providers: none,
      models: none,
      prices: none,
      rate_limits: none,
      alert_rules: none,
      alert_channels: none,
      log: none,
    });
    expect(configurationDigest(after, key)).toBe(configurationDigest(before, key));
  });

  test('differ by the value of a secret too', () => {
    const withPassword = (password: string) =>
      load(base, { DATABASE_URL: `postgres://u:${password}@h/d`, HOLDFAST_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') });
    expect(restartRequired(withPassword('a'), withPassword('b'))).toEqual(['database.url']);
    expect(restartRequired(withPassword('a'), withPassword('a'))).toEqual([]);
  });
});

test('the digest needs its key, and tells every part from every other', () => {
  const configurations = [
    base,
    { ...base, models: { ...models, extra: { targets: ['lab/x'] } } },
    { ...base, prices: {} },
    { ...base, rateLimits: { tiers: { basic: {} } } },
    { ...base, providers: { ...providers, extra: { kind: 'sandbox' } } },
    { ...base, models: { ...models, fast: { targets: ['primary/gpt-4o-mini', 'lab/x'] } } },
    { ...base, models: { ...models, fast: { targets: ['lab/x', 'primary/gpt-4o-mini'] } } },
  ].map((file) => load(file));
  const digests = configurations.map((configuration) => configurationDigest(configuration, key));
  expect(new Set(digests).size).toBe(digests.length);
  expect(digests[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(configurationDigest(configurations[0]!, Buffer.alloc(32, 8))).not.toBe(digests[0]);
});

test('every map of the configuration can be reloaded', () => {
  const { file: _file, fileIsEmpty: _empty, origins: _origins, ...rest } = load(base);
  const settings = new Set([...settingEntries.map(({ section }) => section), 'rateLimits']);
  expect(
    Object.keys(rest)
      .filter((name) => !settings.has(name))
      .toSorted(),
  ).toEqual(reloadableParts.filter((part) => !['rate_limits', 'alert_rules', 'alert_channels', 'log'].includes(part)).toSorted());
  expect(restartRequired(load(base), load({ ...base, rateLimits: { enabled: false, shadow: true } }))).toEqual([]);
});

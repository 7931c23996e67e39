import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseYaml } from '../file/parse-yaml.ts';
import { loadConfiguration, printConfiguration } from '../index.ts';

function load(file = '', env: Record<string, string> = {}) {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-limits-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(path.join(cwd, 'holdfast.config.yaml'), file);
  return loadConfiguration({ env, cwd });
}

const faultsOf = (file: string, env: Record<string, string> = {}): string[] => {
  try {
    load(file, env);
    return [];
  } catch (thrown) {
    return (thrown as { details: { faults: { where: string; setting?: string; problem: string }[] } }).details.faults.map(
      ({ where, setting, problem }) => `${setting ?? where}: ${problem}`,
    );
  }
};

describe('defaults', () => {
  test('are those of the product', () => {
    expect(load().rateLimits).toEqual({
      enabled: true,
      assumedCompletionTokens: 1000,
      shadow: false,
      levels: { global: { requestsPerMinute: 1000, burst: 10 }, ip: { requestsPerMinute: 100, burst: 10 } },
      tiers: {
        basic: { requestsPerMinute: 30, requestsPerHour: 900 },
        pro: { requestsPerMinute: 100, requestsPerHour: 3000 },
        enterprise: { requestsPerMinute: 500, requestsPerHour: 15_000 },
        unlimited: {},
      },
      endpoints: [],
    });
  });

  test('stand in the environment as requests a second, as the documentation of those variables says them', () => {
    const env = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_GLOBAL_RPS: '16.67', RATE_LIMIT_PER_IP_RPS: '1.67', RATE_LIMIT_BURST: '10' };
    expect(load('', env).rateLimits).toEqual(load().rateLimits);
  });
});

describe('what is written', () => {
  test('of a level stands beside its defaults; of a tier replaces it', () => {
    const { levels, tiers } = load(
      'rateLimits: { levels: { global: { burst: 50 }, ip: false, key: { requestsPerHour: 7 } }, tiers: { basic: { requestsPerMinute: 5 }, gold: {} } }',
    ).rateLimits;
    expect(levels).toEqual({ global: { requestsPerMinute: 1000, burst: 50 }, key: { requestsPerHour: 7 } });
    expect([tiers['basic'], tiers['gold'], tiers['pro']]).toEqual([
      { requestsPerMinute: 5 },
      {},
      { requestsPerMinute: 100, requestsPerHour: 3000 },
    ]);
  });

  test('in the environment is above the file, and the origin says so', () => {
    const { rateLimits, origins } = load('rateLimits: { shadow: true, levels: { ip: { requestsPerMinute: 7, burst: 3 } } }', {
      RATE_LIMIT_PER_IP_RPS: '0.5',
      RATE_LIMIT_SHADOW: 'off',
    });
    expect([rateLimits.levels.ip, rateLimits.shadow]).toEqual([{ requestsPerMinute: 30, burst: 3 }, false]);
    expect(origins['rateLimits.levels.ip.requestsPerMinute']?.text).toBe('environment RATE_LIMIT_PER_IP_RPS');
    expect(origins['rateLimits.levels.ip.burst']?.text).toBe('holdfast.config.yaml:1');
  });

  test('of an endpoint names its route with or without a method, in either way to write a parameter', () => {
    const { endpoints } = load(
      'rateLimits: { endpoints: { "POST /v1/embeddings": { requestsPerMinute: 5, per: key, shadow: true }, "/api/keys/{id}": { exempt: true } } }',
    ).rateLimits;
    expect(endpoints).toEqual([
      {
        name: 'POST /v1/embeddings',
        method: 'POST',
        path: '/v1/embeddings',
        requestsPerMinute: 5,
        shadow: true,
        per: 'key',
        exempt: false,
      },
      { name: '/api/keys/{id}', method: undefined, path: '/api/keys/:id', per: 'organization', exempt: true },
    ]);
  });

  test('is printed so that it can be read again and says the same', () => {
    const written = `rateLimits:
  levels: { global: false, user: { requestsPerMinute: 9, burst: 2, shadow: true } }
  tiers: { gold: { requestsPerMinute: 70, tokensPerMinute: 90000, concurrent: 4 }, free: {} }
  endpoints: { "POST /v1/embeddings": { requestsPerHour: 5, per: ip }, "/docs": { exempt: true } }`;
    const first = load(written);
    const printed = printConfiguration(first);
    expect(printed).toMatch(/^ {4}global: false +# holdfast\.config\.yaml:2$/m);
    expect(load(JSON.stringify({ rateLimits: (parseYaml(printed).root as { rateLimits: unknown }).rateLimits })).rateLimits).toEqual(
      first.rateLimits,
    );
  });
});

describe('faults', () => {
  test.each([
    ['{ levels: { gobal: {} } }', 'rateLimits.levels.gobal: there is no setting gobal.'],
    ['{ levels: { ip: 5 } }', 'rateLimits.levels.ip: expected a map'],
    ['{ levels: { ip: { requestsPerMinute: 0 } } }', 'rateLimits.levels.ip.requestsPerMinute: expected an integer from 1'],
    ['{ levels: { ip: { requests: 5 } } }', 'rateLimits.levels.ip.requests: there is no setting requests.'],
    ['{ levels: { key: { burst: 5 } } }', 'rateLimits.levels.key.burst: a burst is of requestsPerMinute'],
    ['{ levels: [] }', 'rateLimits.levels: expected a map'],
    ['{ tiers: { Gold: {} } }', 'rateLimits.tiers.Gold: the name of a tier'],
    ['{ tiers: { gold: { tokensPerMinute: 0 } } }', 'rateLimits.tiers.gold.tokensPerMinute: expected an integer from 1'],
    ['{ levels: { key: { tokensPerMinute: 5 } } }', 'rateLimits.levels.key.tokensPerMinute: there is no setting tokensPerMinute.'],
    ['{ tiers: { basic: 30 } }', 'rateLimits.tiers.basic: expected a map'],
    ['{ endpoints: { "FETCH /x": { requestsPerMinute: 1 } } }', 'expected a route such as'],
    ['{ endpoints: { "/x": {} } }', 'rateLimits.endpoints."/x": it has no limit.'],
    ['{ endpoints: { "/x": { exempt: true, requestsPerMinute: 1 } } }', 'rateLimits.endpoints."/x": it is exempt and has a limit'],
    ['{ endpoints: { "/x": { requestsPerMinute: 1, per: house } } }', 'rateLimits.endpoints."/x".per: expected one of'],
    ['{ enable: true }', 'rateLimits.enable: there is no setting enable.'],
  ])('%s', (section, expected) => expect(faultsOf(`rateLimits: ${section}`).join('\n')).toContain(expected));

  test.each([
    ['RATE_LIMIT_GLOBAL_RPS', 'many'],
    ['RATE_LIMIT_PER_IP_RPS', '0'],
    ['RATE_LIMIT_PER_IP_RPS', '0.001'],
    ['RATE_LIMIT_BURST', '1.5'],
    ['RATE_LIMIT_BURST', '0'],
  ])('%s=%s', (name, value) => expect(faultsOf('', { [name]: value }).join()).toContain(`environment ${name}: expected`));

  test('many at once are one list, and end', () => {
    const endpoints = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`/x${at}`, {}]));
    expect(faultsOf(JSON.stringify({ rateLimits: { endpoints } })).length).toBeLessThan(110);
  });
});

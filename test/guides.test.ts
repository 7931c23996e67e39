import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { callOutcome, createBanRequest, createKeyRequest, keyScope, usageQuery, usageRow } from '@holdfast/contracts';
import { errorTraits } from '@holdfast/kit/errors';
import { attemptLimitDefaults } from '@holdfast/kit/llm/layers/attempt-limits';
import { createAnthropicProvider } from '@holdfast/kit/llm/providers/anthropic';
import { createOpenaiProvider, openaiKinds, type OpenaiKind } from '@holdfast/kit/llm/providers/openai';
import { createTransport } from '@holdfast/kit/llm/transport';
import {
  adaptiveDefaults,
  breakerDefaults,
  bulkheadDefaults,
  causeTraits,
  hedgeDefaults,
  httpRetryDefaults,
  policyOrder,
  retryBudgetDefaults,
} from '@holdfast/kit/resilience';
import {
  banDurationDefaults,
  clientIpDefaults,
  endpointScanningDefaults,
  keyGuessingDefaults,
  networkDefaults,
  signInGuessingDefaults,
  travelDefaults,
} from '@holdfast/kit/security';
import { createMetrics } from '@holdfast/kit/telemetry';
import { systemClock } from '@holdfast/kit/time';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  breakerFields,
  bulkheadFields,
  holdBackField,
  loadConfiguration,
  retryFields,
  settingEntries,
  type Configuration,
} from '../packages/server/src/config/index.ts';
import { readCodeBlocks } from './support/code-blocks.ts';
import { codeOfCell, readTableRows, sectionOf } from './support/document-tables.ts';
import { startErrors } from './support/start-errors.ts';

// What a guide lists, it lists whole: a field or a scope that is missing there is looked for in vain.

const repository = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

/** All names in backticks in the first cells of a table's rows. */
function namesIn(markdown: string): string[] {
  return readTableRows(markdown).flatMap(([cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!));
}

describe('the guide on the ledger', () => {
  const guide = read('docs/guides/ledger.md');

  test('explains every field of a row and no other', () => {
    expect(namesIn(sectionOf(guide, '## A row')).toSorted()).toEqual(Object.keys(usageRow.shape).toSorted());
  });
  test('explains every outcome and no other', () => {
    expect(namesIn(sectionOf(guide, '## Outcomes')).toSorted()).toEqual(callOutcome.options.toSorted());
  });
  test('names every filter and no other', () => {
    expect(namesIn(sectionOf(guide, '## Reading it')).toSorted()).toEqual(Object.keys(usageQuery.shape).toSorted());
  });
});

describe('the guide on abuse', () => {
  const guide = read('docs/guides/abuse.md');
  const minutes = (milliseconds: number): number => milliseconds / 60_000;

  test("explains every option of the client's address and no other", () => {
    expect(namesIn(sectionOf(guide, "## The client's address")).toSorted()).toEqual(Object.keys(clientIpDefaults).toSorted());
  });
  test('gives the thresholds that are in force', () => {
    const found = new Map(readTableRows(sectionOf(guide, '## Who is found out')).map(([kind, when]) => [codeOfCell(kind!), when!]));
    const { threshold, windowMs, accountThreshold, accountWindowMs } = signInGuessingDefaults;
    const numbers = {
      endpoint_scanning: [
        endpointScanningDefaults.threshold,
        minutes(endpointScanningDefaults.windowMs),
        endpointScanningDefaults.probeWeight,
      ],
      key_guessing: [
        keyGuessingDefaults.threshold,
        minutes(keyGuessingDefaults.windowMs),
        keyGuessingDefaults.threshold * keyGuessingDefaults.knownFactor,
        24,
      ],
      sign_in_guessing: [threshold, minutes(windowMs), 2],
      account_under_attack: [accountThreshold],
      automated_tool: [],
      implausible_travel: [],
    };
    expect(Object.fromEntries([...found].map(([kind, when]) => [kind, when.match(/\d+/g)?.map(Number) ?? []]))).toEqual(numbers);
    expect([minutes(accountWindowMs), minutes(travelDefaults.withinMs)]).toEqual([60, 60]);
  });
  test('gives the durations that are in force', () => {
    const { firstMs, factor, maxMs, forgetAfterMs } = banDurationDefaults;
    expect([minutes(firstMs), factor, minutes(maxMs), minutes(forgetAfterMs)]).toEqual([5, 2, 24 * 60, 24 * 60]);
    expect(guide).toContain(
      'A ban lasts 5 minutes, and twice as long each time the same client comes back within a day of its last one, up to a day',
    );
  });
});

describe('the guide on abuse, of the server', () => {
  const guide = sectionOf(read('docs/guides/abuse.md'), '## In the server');
  const settings = settingEntries.filter(({ section }) => section === 'abuse');

  test('explains every setting and every field of a new ban, and no other', () => {
    const [configuration, api] = guide.split('### By API and command line') as [string, string];
    expect(namesIn(configuration).toSorted()).toEqual(settings.map(({ name }) => name).toSorted());
    expect(namesIn(api).toSorted()).toEqual(Object.keys(createBanRequest.shape).toSorted());
  });
  test('has the defaults of the kit, as the settings have', () => {
    const ofKit = {
      ...{ scanningThreshold: endpointScanningDefaults.threshold, scanningWindowMs: endpointScanningDefaults.windowMs },
      ...{ keyGuessingThreshold: keyGuessingDefaults.threshold, keyGuessingWindowMs: keyGuessingDefaults.windowMs },
      ...{ banFirstMs: banDurationDefaults.firstMs, banFactor: banDurationDefaults.factor },
      ...{ banMaxMs: banDurationDefaults.maxMs, banForgetAfterMs: banDurationDefaults.forgetAfterMs },
      networkFactor: networkDefaults.factor,
      travelWithinMs: travelDefaults.withinMs,
    };
    const ofServer = settings.flatMap(({ name, setting }) =>
      !setting.secret && typeof setting.default === 'number' ? [[name, setting.default]] : [],
    );
    expect(Object.fromEntries(ofServer)).toEqual(ofKit);
    const rows = readTableRows(guide).filter(([names]) => /Ms`|Threshold|Factor/.test(names!));
    const told = rows.flatMap(([names, values]) => {
      const numbers = values!.split(', ').map((number) => Number(number.replaceAll(',', '')));
      return namesIn(`| ${names} |`).map((name, at) => [name, numbers[at]]);
    });
    expect(Object.fromEntries(told)).toEqual(ofKit);
  });
});

describe('the guide on keys', () => {
  const guide = read('docs/guides/keys.md');

  test('explains every scope and no other', () => {
    expect(namesIn(sectionOf(guide, '## What a key may do')).toSorted()).toEqual(keyScope.options.toSorted());
  });
  test('explains every field of a new key and no other', () => {
    expect(namesIn(sectionOf(guide, '## Over HTTP')).toSorted()).toEqual(Object.keys(createKeyRequest.shape).toSorted());
  });
});

describe('the guide on resilience in the gateway', () => {
  const guide = read('docs/guides/resilience-in-the-gateway.md');
  const defaults = (fields: Readonly<Record<string, { readonly default: unknown }>>) =>
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default]));

  test('writes out every default of retry, breaker and hold-back', () => {
    const block = readCodeBlocks('guide', guide).find(({ language }) => language === 'yaml')!;
    const { models, origins } = loadDocumented(block.code);
    expect(models[0]).toMatchObject({
      retry: defaults(retryFields),
      breaker: defaults(breakerFields),
      holdBackMs: holdBackField.default,
    });
    const written = [
      ...Object.keys(retryFields).map((name) => `retry.${name}`),
      ...Object.keys(breakerFields).map((name) => `breaker.${name}`),
      'holdBackMs',
    ];
    for (const name of written) expect([name, origins[`models.fast.${name}`]?.source]).toEqual([name, 'file']);
  });

  test('shows a bulkhead with its defaults', () => {
    const shown = /`(bulkhead: \{[^`]*\})`/.exec(guide)![1]!;
    const { models, origins } = loadDocumented(`models: { fast: { targets: [sandbox/demo], ${shown} } }`);
    const { maxConcurrent, ...rest } = models[0]!.bulkhead;
    expect([maxConcurrent, { maxConcurrent: undefined, ...rest }]).toEqual([50, defaults(bulkheadFields)]);
    for (const name of Object.keys(bulkheadFields)) expect(origins[`models.fast.bulkhead.${name}`]?.source).toBe('file');
  });
});

describe('the guide on providers and models', () => {
  const guide = read('docs/guides/providers-and-models.md');

  test('has the limits with the defaults of the code', () => {
    const rows = readTableRows(sectionOf(guide, '## Limits')).map(([name, value]) => [
      codeOfCell(name),
      Number(value!.replaceAll(',', '')),
    ]);
    expect(Object.fromEntries(rows)).toEqual(attemptLimitDefaults);
  });

  test('says of every kind what it offers', () => {
    const transport = createTransport({ allowedOrigins: [] });
    onTestFinished(() => transport.close());
    const common = { name: 'any', apiKeys: [], transport, clock: systemClock };
    const kinds = (Object.keys(openaiKinds) as OpenaiKind[]).map((kind) =>
      createOpenaiProvider({ ...common, kind, baseUrl: 'http://127.0.0.1:9/v1' }),
    );
    const rows = readTableRows(sectionOf(guide, '## Providers'));
    const said = (kind: string): string => rows.find(([names]) => names!.includes(`\`${kind}\``))?.[2] ?? '';
    for (const provider of [...kinds, createAnthropicProvider(common)]) {
      for (const operation of ['chat', 'embeddings', 'count_tokens'] as const) {
        expect({ kind: provider.kind, operation, offered: said(provider.kind).includes(operation) }).toEqual({
          kind: provider.kind,
          operation,
          offered: provider.supports(operation),
        });
      }
    }
    expect(rows.flatMap(([names]) => namesIn(`| ${names} |`)).toSorted()).toEqual(
      [...Object.keys(openaiKinds), 'anthropic', 'sandbox'].toSorted(),
    );
  });
});

describe('the guide on resilience', () => {
  const guide = read('docs/guides/resilience.md');

  test('has every number with the default of the code', () => {
    const { percent, minPerWindow, windowMs } = retryBudgetDefaults;
    const groups = {
      retry: { ...httpRetryDefaults, budgetPercent: percent, budgetMinPerWindow: minPerWindow, budgetWindowMs: windowMs },
      hedge: hedgeDefaults,
      breaker: breakerDefaults,
      bulkhead: bulkheadDefaults,
      adaptive: adaptiveDefaults,
    };
    const inCode = Object.entries(groups).flatMap(([group, options]) =>
      Object.entries(options).map(([name, value]) => [`${group}.${name}`, String(value)]),
    );
    const told = readTableRows(sectionOf(guide, '## Numbers')).map(([name, value]) => [codeOfCell(name), value!.replaceAll(',', '')]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(inCode));
  });

  test('says of each cause what follows from it', () => {
    const told = readTableRows(sectionOf(guide, '## What is tried again')).map(([cause, , again, next, breaker]) => [
      codeOfCell(cause),
      { retriedOnSameTarget: again === 'yes', mayTryNextTarget: next === 'yes', breaker },
    ]);
    expect(Object.fromEntries(told)).toEqual(causeTraits);
  });

  test('has the layers in their order', () => {
    const rows = readTableRows(sectionOf(guide, '## A policy for each target'));
    expect(rows.map(([layer]) => codeOfCell(layer))).toEqual(policyOrder);
  });
});

describe('the guide on operations', () => {
  const guide = read('docs/guides/operations.md');

  test('has a line for every error that ends a start, in the words that are shown', () => {
    const lines = readTableRows(sectionOf(guide, '## When it does not start')).map(([line]) => line!.split('…').map((part) => part.trim()));
    const shown = (message: string): boolean => lines.some((parts) => parts.every((part) => message.includes(part)));
    expect([...startErrors].filter((code) => !shown(errorTraits(code).message))).toEqual([]);
  });

  test('names no metric that does not exist', async () => {
    const gauges = ['packages/server/src/app.ts', ...globSync('packages/server/src/composition/*.ts', { cwd: repository })]
      .map(read)
      .join('\n');
    const text = (await createMetrics().scrape()) + gauges;
    const named = [...guide.matchAll(/holdfast_[a-z_]+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !text.includes(name))).toEqual([]);
  });
});

/** Loads a file as a document shows it. */
function loadDocumented(code: string): Configuration {
  const cwd = mkdtempSync(join(tmpdir(), 'holdfast-document-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, 'key'), 'sk-of-a-document');
  writeFileSync(join(cwd, 'holdfast.config.yaml'), code.replaceAll(/(apiKeyFile:) [^ },]+/g, '$1 key'));
  // Every variable that the block names has a value: another each, since the same key twice is a fault.
  const env = Object.fromEntries([...code.matchAll(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g)].map(([name]) => [name, `sk-${name}`]));
  return loadConfiguration({ env, cwd });
}

describe('configuration in the documents', () => {
  const documents = globSync(['README.md', 'docs/**/*.md', 'packages/*/README.md'], { cwd: repository });
  const blocks = documents
    .flatMap((document) => readCodeBlocks(document, read(document)))
    .filter((block) => block.language === 'yaml' && /^(?:providers|models|prices|server):/m.test(block.code));

  test('is there', () => expect(blocks.length).toBeGreaterThanOrEqual(5));

  test.each(blocks.map((block) => [`${block.document}:${block.line}`, block.code]))('%s is a valid file', (_place, code) => {
    const { providers, models } = loadDocumented(code);
    expect(providers.length + models.length).toBeGreaterThan(0);
  });
});

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorities } from '../scripts/architecture/authorities.ts';
import { checkImports, type ImportCheck } from '../scripts/architecture/check-imports.ts';
import { importRules } from '../scripts/architecture/import-rules.ts';

// A small workspace of the same shape as ours, in which every rule is broken once.

const repository = resolve(import.meta.dirname, '..');
const kit = 'packages/kit/src';
const server = 'packages/server/src';

/** Innocent files that the planted ones point at. */
const ground: Record<string, string> = {
  [`${kit}/errors/index.ts`]: 'export interface Failure {}',
  [`${kit}/errors/private.ts`]: 'export const hidden = 1;',
  [`${kit}/time/index.ts`]: "export type { Failure } from '../errors/index.ts';",
  [`${kit}/llm/spec/index.ts`]: "export type { Failure } from '../../errors/index.ts';",
  [`${kit}/llm/transport/index.ts`]: "import { Pool } from 'undici';\nexport const pool: Pool | undefined = undefined;",
  [`${kit}/llm/layers/good/index.ts`]:
    "export type { Failure } from '../../spec/index.ts';\nexport { one } from '../../../cache/index.ts';",
  [`${kit}/cache/index.ts`]: 'export const one = 1;',
  [`${kit}/health/index.ts`]: 'export const two = 2;',
  [`${kit}/telemetry/index.ts`]: "export type { Failure } from '../errors/index.ts';",
  [`${kit}/fastify/index.ts`]: "export * from '../telemetry/index.ts';",
  [`${kit}/testing/index.ts`]: 'export const fake = 1;',
  'packages/contracts/src/index.ts': "export type { Failure } from '@holdfast/kit/errors';",
  'packages/console/src/index.ts': "export type { Failure } from '@holdfast/contracts';",
  [`${server}/app.ts`]: "import { one } from './features/costs/index.ts';\nimport '@holdfast/kit/telemetry';\nexport const app = one;",
  [`${server}/config/index.ts`]: 'export const settings = {};',
  [`${server}/entry/http/index.ts`]: "import fastify from 'fastify';\nexport const door = fastify;",
  [`${server}/features/costs/index.ts`]: "export { one } from './store.ts';",
  [`${server}/features/costs/store.ts`]:
    "import { Pool } from 'pg';\nimport '../../platform/postgres/index.ts';\nexport const one: unknown = Pool;",
  [`${server}/features/identity/index.ts`]: 'export const who = 1;',
  [`${server}/model/index.ts`]:
    'export interface Port {}\nexport async function f(open: () => AsyncDisposable) {\n  await using file = open();\n  return file;\n}',
  [`${server}/platform/postgres/index.ts`]: "import pg from 'pg';\nexport const database = pg;",
  'scripts/tool.ts': 'export const tool = 1;',
};

/** For every rule a file that breaks it. */
const plants: Record<string, Record<string, string>> = {
  '1-kit-stands-alone': { [`${kit}/cache/contracts.ts`]: "import type {} from '@holdfast/contracts';" },
  '1-contracts-know-errors-only': { 'packages/contracts/src/transport.ts': "import '@holdfast/kit/llm/transport';" },
  '1-server-knows-kit-and-contracts': { [`${server}/model/console.ts`]: "import '../../../console/src/index.ts';" },
  '1-console-knows-contracts': { 'packages/console/src/errors.ts': "import '@holdfast/kit/errors';" },
  '1-source-stays-in-packages': { [`${server}/model/tool.ts`]: "import '../../../../scripts/tool.ts';" },
  '2-folders-by-their-index': { [`${kit}/time/reach.ts`]: "import '../errors/private.ts';" },
  '2-packages-by-their-exports': { [`${server}/model/relative.ts`]: "import '../../../kit/src/errors/index.ts';" },
  '2-everything-resolves': { [`${server}/model/nowhere.ts`]: "import '@holdfast/kit/not-exported';" },
  '2-only-declared-packages': { [`${server}/model/undeclared.ts`]: "import 'left-pad';" },
  '3-floor-0-is-the-ground': { [`${kit}/time/up.ts`]: "import '../cache/index.ts';" },
  '3-floor-1-siblings-are-strangers': { [`${kit}/cache/sibling.ts`]: "import '../health/index.ts';" },
  '3-llm-imports-downwards': { [`${kit}/llm/transport/cached.ts`]: "import '../../cache/index.ts';" },
  '3-spec-is-the-ground-of-llm': { [`${kit}/llm/spec/up.ts`]: "import '../transport/index.ts';" },
  '3-only-composition-knows-layers': { [`${kit}/llm/transport/layered.ts`]: "import '../layers/good/index.ts';" },
  '3-layer-joins-one-module-with-spec': {
    [`${kit}/llm/layers/bad/index.ts`]: "import '../../transport/index.ts';",
    [`${kit}/llm/layers/greedy/index.ts`]: "import '../../../cache/index.ts';\nimport '../../../health/index.ts';",
  },
  '3-listeners-only-listen': { [`${kit}/telemetry/up.ts`]: "import '../testing/index.ts';" },
  '3-testing-is-a-side-door': { [`${server}/model/fake.ts`]: "import '@holdfast/kit/testing';" },
  '4-nobody-imports-telemetry': {
    [`${server}/model/metrics.ts`]: "import type { Failure } from '@holdfast/kit/telemetry';\nexport type F = Failure;",
  },
  '4-the-feature-of-alerts-listens': { [`${server}/features/alerts/metrics.ts`]: "import '@holdfast/kit/telemetry';" },
  '5-clients-stay-in-drivers': { [`${server}/features/costs/service.ts`]: "import type { Pool } from 'pg';\nexport type P = Pool;" },
  '6-platform-knows-no-feature': { [`${server}/platform/postgres/up.ts`]: "import '../../features/costs/index.ts';" },
  '6-model-knows-no-feature': { [`${server}/model/up.ts`]: "import '../features/costs/index.ts';" },
  '6-features-know-no-entry': { [`${server}/features/identity/up.ts`]: "import '../../entry/http/index.ts';" },
  '6-nobody-imports-the-root': { [`${server}/entry/http/up.ts`]: "import '../../app.ts';" },
  '6-configuration-knows-nobody': { [`${server}/config/up.ts`]: "import '../model/index.ts';" },
  '7-features-are-strangers': { [`${server}/features/identity/costs.ts`]: "import '../costs/index.ts';" },
  '7-documents-know-identity': { [`${server}/features/documents/index.ts`]: "import '../costs/index.ts';" },
  '7-chat-knows-documents': { [`${server}/features/chat/index.ts`]: "import '../costs/index.ts';" },
  '7-agents-know-chat': { [`${server}/features/agents/index.ts`]: "import '../costs/index.ts';" },
  '7-services-know-no-http': {
    [`${server}/features/identity/service.ts`]: "import type { FastifyInstance } from 'fastify';\nexport type F = FastifyInstance;",
  },
  '10-no-cycles': {
    [`${server}/model/a.ts`]: "import type { B } from './b.ts';\nexport interface A { b: B }",
    [`${server}/model/b.ts`]: "import type { A } from './a.ts';\nexport interface B { a: A }",
  },
  '10-source-never-imports-tests': {
    [`${server}/model/tested.ts`]: "import './tested.test.ts';",
    [`${server}/model/tested.test.ts`]: 'export {};',
  },
};

/** For every authority a few ways to take it, each a line of its own. */
const takings: Record<string, readonly string[]> = {
  environment: [
    'export const a = process.env.HOME;',
    'const { env } = process;\nexport const b = env;',
    "import { env } from 'node:process';\nexport const c = env;",
  ],
  time: [
    'export const a = Date.now();',
    'export const b = new Date();',
    'export const c = setTimeout(() => {}, 1);',
    'export const d = globalThis.performance.now();',
    "import { setInterval } from 'node:timers';\nexport const e = setInterval;",
  ],
  randomness: [
    'export const a = Math.random();',
    "import { randomBytes } from 'node:crypto';\nexport const b = randomBytes(1);",
    'export const c = crypto.randomUUID();',
  ],
  console: ["console.log('x');"],
  'outbound connections': [
    "export const a = await fetch('http://x');",
    "import { Pool } from 'undici';\nexport const b = Pool;",
    "import { connect } from 'node:net';\nexport const c = connect;",
    "export const d = await import('node:https');",
    "export const e = process.getBuiltinModule('node:net');",
  ],
};

/** What looks like it and is not. */
const innocent = `import type { Pool } from 'undici';
import { createHash } from 'node:crypto';
export function later(clock: { setTimeout(callback: () => void, ms: number): void; now(): number }, fetch: Pool) {
  clock.setTimeout(() => {}, 5);
  setImmediate(() => {});
  return [new Date(clock.now()), createHash('sha256'), fetch, process.pid, process.getBuiltinModule('node:sqlite')];
}
`;

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-architecture-'));
  for (const name of ['kit', 'contracts', 'server', 'console']) {
    mkdirSync(join(root, 'packages', name), { recursive: true });
    cpSync(join(repository, 'packages', name, 'package.json'), join(root, 'packages', name, 'package.json'));
  }
  // The subpaths that the plants use and that may not exist in the real package yet.
  write(
    'packages/kit/package.json',
    JSON.stringify({
      name: '@holdfast/kit',
      type: 'module',
      exports: exportsOf('errors', 'telemetry', 'testing', 'llm/transport'),
      dependencies: { undici: '*' },
    }),
  );
  write('packages/console/package.json', JSON.stringify({ name: '@holdfast/console', type: 'module' }));
  mkdirSync(join(root, 'node_modules/@holdfast'), { recursive: true });
  for (const name of ['kit', 'contracts'])
    symlinkSync(join(root, 'packages', name), join(root, 'node_modules/@holdfast', name), 'junction');
  for (const name of ['pg', 'undici', 'fastify', 'left-pad']) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    write(`node_modules/${name}/index.js`, '');
  }
  for (const [path, text] of Object.entries(ground)) write(path, text);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('import rules', () => {
  let clean: ImportCheck;
  let planted: ImportCheck;

  beforeAll(async () => {
    clean = await checkImports(root);
    for (const files of Object.values(plants)) for (const [path, text] of Object.entries(files)) write(path, text);
    planted = await checkImports(root);
  });

  test('a workspace that keeps them is clean, and its TypeScript was really read', () => {
    expect(clean.violations).toEqual([]);
    expect(clean.importsSeen).toBeGreaterThan(15);
  });

  test('every rule has a plant', () => {
    const names = [...importRules.map((rule) => rule.name), '2-folders-by-their-index'];
    expect(Object.keys(plants).toSorted()).toEqual([...new Set(names)].toSorted());
  });

  test.each(Object.keys(plants))('%s is enforced, and says what to do instead', (rule) => {
    const caught = planted.violations.filter((violation) => violation.rule === rule);
    for (const file of Object.keys(plants[rule]!)) {
      if (file.endsWith('.test.ts')) continue;
      expect(
        caught.some((violation) => file.startsWith(violation.from) || violation.to.includes(file)),
        `${file}: ${JSON.stringify(caught)}`,
      ).toBe(true);
    }
    expect(caught[0]!.advice.length).toBeGreaterThan(40);
  });
});

describe('authorities', () => {
  test('every authority has plants', () => {
    expect(Object.keys(takings).toSorted()).toEqual(authorities.map((authority) => authority.name).toSorted());
  });

  test('each is caught outside of its place, however it is taken, and nothing innocent is', () => {
    const expected: string[] = [];
    for (const [authority, sources] of Object.entries(takings)) {
      sources.forEach((source, index) => {
        const path = `${server}/features/planted/${authority.replaceAll(' ', '-')}-${index}.ts`;
        write(path, source);
        expected.push(`${path} (${authority})`);
      });
    }
    write(`${server}/features/planted/innocent.ts`, innocent);
    write(`${kit}/time/allowed.ts`, takings['time']!.join('\n'));
    write(`${server}/config/allowed.ts`, takings['environment']![0]!);

    const caught = lint().map(({ file, message }) => `${file} (${/\(([^)]+)\) is not for this folder/.exec(message)?.[1]})`);

    expect([...new Set(caught)].toSorted()).toEqual(expected.toSorted());
  });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function exportsOf(...subpaths: string[]): Record<string, unknown> {
  return Object.fromEntries(subpaths.map((subpath) => [`./${subpath}`, { 'dev-source': `./src/${subpath}/index.ts` }]));
}

/** Findings of the lint rule alone, over the planted workspace. */
function lint(): { file: string; message: string }[] {
  write(
    '.oxlintrc.json',
    JSON.stringify({
      jsPlugins: [join(repository, 'scripts/architecture/lint-plugin.ts')],
      categories: { correctness: 'off' },
      rules: { 'holdfast/ambient-authority': 'error' },
    }),
  );
  const oxlint = join(repository, 'node_modules/oxlint/bin/oxlint');
  const run = spawnSync(process.execPath, [oxlint, '--format=json', 'packages'], { cwd: root, encoding: 'utf8' });
  const report = JSON.parse(run.stdout) as { diagnostics: { filename: string; message: string }[] };
  return report.diagnostics.map(({ filename, message }) => ({ file: filename.replaceAll('\\', '/'), message }));
}

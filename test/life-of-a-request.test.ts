import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorTable, errorTraits, type ErrorCode } from '@holdfast/kit/errors';
import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import { expect, test } from 'vitest';
import { createHttpServer } from '../packages/server/src/entry/http/index.ts';
import { gatewayRoutes } from '../packages/server/src/features/gateway/index.ts';
import { codeOfCell, readTableRows, sectionOf } from './support/document-tables.ts';
import { startErrors } from './support/start-errors.ts';

// The page is how strangers learn what can happen to a call: a code that it forgets is one that nobody expects.

const repository = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const page = read('docs/life-of-a-request.md');
const allCodes = Object.keys(errorTable) as ErrorCode[];

/** Rows of the tables of errors: code, status, whether to try again, when. */
const exits = readTableRows(page).filter((cells) => cells.length === 4 && codeOfCell(cells[0]) !== undefined && /^\d{3}$/.test(cells[1]!));

test('every error that a request can end with is on the page, once', () => {
  const named = exits.map(([code]) => String(codeOfCell(code)));
  expect(named.toSorted()).toEqual(allCodes.filter((code) => !startErrors.has(code)).toSorted());
});

test('the page says of every error what the error table says', () => {
  for (const [code, status, again, when] of exits) {
    const traits = errorTraits(codeOfCell(code) as ErrorCode);
    expect({ code: traits.code, status, again }).toEqual({
      code: traits.code,
      status: String(traits.status),
      again: traits.retryable ? 'yes' : 'no',
    });
    expect(when).not.toBe('');
  }
});

test('what the routes of /v1 say they may end with stands among the exits of a call', async () => {
  const ofCalls = new Set(readTableRows(sectionOf(page, '## Every error exit')).map(([code]) => codeOfCell(code)));
  const codes = await codesOfGatewayRoutes();
  expect(codes.size).toBeGreaterThan(20);
  expect([...codes].filter((code) => !ofCalls.has(code))).toEqual([]);
});

test('the layers stand in the order in which they are called', () => {
  const layers = [...read('packages/server/src/model/pipeline.ts').matchAll(/\b(\w+)(?:Layer|Call)\(/g)].map((match) => match[1]!);
  expect(layers.length).toBeGreaterThanOrEqual(4);
  const rows = readTableRows(sectionOf(page, '## The way in')).map(([layer]) => codeOfCell(layer));
  expect(rows.filter((name) => name !== undefined)).toEqual(layers);
});

test('every file that is named is there', () => {
  const folders: Record<string, string> = { server: 'packages/server/src', kit: 'packages/kit/src', contracts: 'packages/contracts/src' };
  const files = [...page.matchAll(/`(server|kit|contracts)\/([\w./-]+\.ts)`/g)].map((match) => join(folders[match[1]!]!, match[2]!));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => !existsSync(join(repository, file)))).toEqual([]);
});

/** The codes in the description of the API, which the tests of the door hold against what it really answers. */
async function codesOfGatewayRoutes(): Promise<Set<ErrorCode>> {
  const createId = createUuidV7(systemClock, systemRandom);
  const notCalled = (): never => {
    throw new Error('the description of the API calls nothing');
  };
  const server = await createHttpServer({ clock: systemClock, createId, version: '0.0.0', authenticate: notCalled });
  server.addGateway(gatewayRoutes({ pipeline: notCalled, listModels: () => [], clock: systemClock, createId, maxDepth: 64 }));
  try {
    const { paths } = (await server.app.inject({ url: '/openapi.json' })).json<{ paths: Record<string, object> }>();
    const text = JSON.stringify(Object.entries(paths).filter(([path]) => path.startsWith('/v1/')));
    return new Set(allCodes.filter((code) => text.includes(`"${code}"`)));
  } finally {
    await server.app.close();
  }
}

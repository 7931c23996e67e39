import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type RunningServer } from '../packages/server/test/support/server.ts';
import { faultOfMark, readCodeBlocks } from './support/code-blocks.ts';
import { lacks } from './support/programs.ts';
import { createBlockRunner, type BlockRunner } from './support/run-block.ts';

// The code that a reader copies is the code that is executed here, against a running server.

const repository = resolve(import.meta.dirname, '..');
const documents = [
  'README.md',
  ...globSync('docs/guides/**/*.md', { cwd: repository }),
  ...globSync('packages/*/README.md', { cwd: repository }),
].toSorted();
const blocks = documents.flatMap((document) => readCodeBlocks(document, readFileSync(join(repository, document), 'utf8')));
const programs = blocks.filter((block) => block.mark.kind === 'run');
const withoutCurl = lacks('curl');

test('every block that a reader would run says whether the tests run it', () => {
  expect(blocks.map(faultOfMark).filter(Boolean)).toEqual([]);
});

test('the README has code, and most of it is run', () => {
  const readme = programs.filter((block) => block.document === 'README.md');
  expect(readme.filter((block) => block.language === 'ts').length).toBeGreaterThanOrEqual(2);
  expect(readme.filter((block) => block.language === 'bash').length).toBeGreaterThanOrEqual(1);
});

/** The models that the code of a guide asks for are configured as the guide says. */
function configurationOfGuides(): string {
  const guide = blocks.filter(({ document }) => document === 'docs/guides/providers-and-models.md');
  return guide.find(({ language, code }) => language === 'yaml' && code.includes('strategy: latency'))!.code;
}

describe('code of the documents', () => {
  let server: RunningServer;
  let runner: BlockRunner;

  beforeAll(async () => {
    runner = createBlockRunner(programs);
    server = await startServer({ config: configurationOfGuides() });
  });
  afterAll(async () => {
    await server?.stop();
    runner?.clear();
  });

  test('type-checks as it is written', async () => {
    expect(await runner.compile()).toBe('');
  });

  for (const block of programs) {
    test.skipIf(block.language === 'bash' && withoutCurl)(`${block.document}:${block.line} runs and shows something`, async () => {
      expect(await runner.run(block, server)).not.toBe('');
    });
  }
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { errorTable } from '@holdfast/kit/errors';
import { expect, onTestFinished, test } from 'vitest';
import { configurationPage } from '../../../scripts/reference/configuration-page.ts';
import { errorsPage } from '../../../scripts/reference/errors-page.ts';
import { loadConfiguration, providerKinds, settingEntries } from '../src/config/index.ts';

const written = (name: string): string => readFileSync(path.join(import.meta.dirname, '..', '..', '..', 'docs', 'reference', name), 'utf8');

test('the pages in docs/reference are those that the tables give', () => {
  expect(written('configuration.md'), 'run `npm run generate`').toBe(configurationPage());
  expect(written('errors.md'), 'run `npm run generate`').toBe(errorsPage());
});

test('every setting, every kind of provider and every error has its row', () => {
  const configuration = configurationPage();
  for (const { section, name, setting } of settingEntries) {
    expect(configuration).toContain(`| \`${section}.${name}\``);
    expect(configuration).toContain(`\`${setting.environment}\``);
  }
  for (const kind of Object.keys(providerKinds)) expect(configuration).toContain(`| \`${kind}\` |`);
  for (const code of Object.keys(errorTable)) expect(errorsPage()).toContain(`| \`${code}\` |`);
});

test('no bar in a cell breaks a table', () => {
  for (const page of [configurationPage(), errorsPage()]) {
    const tables = page
      .trimEnd()
      .split('\n\n')
      .filter((block) => block.startsWith('| '));
    expect(tables.length).toBeGreaterThan(5);
    for (const block of tables) {
      const columns = block.split('\n').map((line) => line.split(/(?<!\\)\|/).length);
      expect(new Set(columns).size).toBe(1);
    }
  }
});

test('the example on the page is a configuration that is taken', () => {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-example-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const example = /```yaml\n([^]*?)```/.exec(configurationPage())![1]!;
  writeFileSync(path.join(cwd, 'holdfast.config.yaml'), example);
  const { providers, models } = loadConfiguration({ env: { KEY_A: 'a', KEY_B: 'b', ANTHROPIC_API_KEY: 'c' }, cwd });
  expect(providers.map(({ name }) => name)).toEqual(['primary', 'claude', 'anthropic']);
  expect(models[0]?.name).toBe('fast');
});

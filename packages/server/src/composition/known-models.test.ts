import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfiguration, type Configuration } from '../config/index.ts';
import { createKnownModels } from './known-models.ts';

function configured(models: object): Configuration {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-known-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(path.join(cwd, 'holdfast.config.yaml'), JSON.stringify({ providers: { lab: { kind: 'sandbox' } }, models }));
  return loadConfiguration({ env: {}, cwd });
}

test('names become labels with the reload that brings them, and no sooner', () => {
  const known = createKnownModels(configured({ fast: { targets: ['lab/small'] } }));
  const names = () => ['fast', 'small', 'smart', 'large'].filter((name) => known.has(name));
  expect(names()).toEqual(['fast', 'small']);
  const prepared = known.prepare(configured({ smart: { targets: ['lab/large'] } }));
  expect(names()).toEqual(['fast', 'small']);
  prepared.commit();
  expect(names()).toEqual(['smart', 'large']);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sandboxDefaults, sandboxSettingNames } from './index.ts';

test('the guide names every setting, no other, and its default', () => {
  const guide = readFileSync(new URL('../../../../../../docs/guides/sandbox.md', import.meta.url), 'utf8');
  const settings = guide.slice(guide.indexOf('| setting |'), guide.indexOf('A setting that is misspelt'));
  const rows = [...settings.matchAll(/^\| `(\w+)` +\| *(\S*) *\|/gm)].map(([, name, shown]) => [name, shown]);
  expect(rows).toEqual(Object.entries(sandboxDefaults).map(([name, value]) => [name, value === undefined ? '' : String(value)]));
  expect(rows.map(([name]) => name)).toEqual(sandboxSettingNames);
});

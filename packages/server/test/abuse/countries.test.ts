import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCountries } from '../../src/composition/countries.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-countries-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('without a file travel is not looked at', async () => {
  expect(await readCountries(undefined)).toBeUndefined();
});

test.each([
  ['that is not there', () => path.join(folder, 'nothing.mmdb'), /abuse\.geoipFile: .*nothing\.mmdb: it cannot be read \(ENOENT\)/],
  ['that is a folder', () => folder, /it cannot be read \(EISDIR\)/],
  [
    'that is something else',
    () => {
      const file = path.join(folder, 'text.mmdb');
      writeFileSync(file, 'not a database');
      return file;
    },
    /text\.mmdb: it is no country database in the MaxMind format, or damaged/,
  ],
])('a file %s is one fault of the configuration, which names it', async (_what, fileOf, message) => {
  await expect(readCountries(fileOf())).rejects.toMatchObject({ code: 'configuration_invalid', message: expect.stringMatching(message) });
});

import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '@holdfast/kit/time';
import { makeLibraryLinks } from './library-links.ts';

let folder: string;
let native: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-links-'));
  native = join(folder, 'native');
  mkdirSync(join(native, 'lib'), { recursive: true });
  writeFileSync(join(native, 'lib/libpq.so.5.18'), 'library');
  listLinks([{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function listLinks(links: { source: string; target: string }[]): void {
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));
}

test('links are relative, so that the folder can be moved, and making them again changes nothing', () => {
  makeLibraryLinks(native, systemRandom);
  const link = join(native, 'lib/libpq.so.5');
  expect(readlinkSync(link)).toBe('libpq.so.5.18');
  const { ino } = lstatSync(link);
  makeLibraryLinks(native, systemRandom);
  expect(lstatSync(link).ino).toBe(ino);
});

test('a link that leads elsewhere is replaced, a whole file in its place is kept', () => {
  symlinkSync('libpq.so.4', join(native, 'lib/libpq.so.5'));
  makeLibraryLinks(native, systemRandom);
  expect(readFileSync(join(native, 'lib/libpq.so.5'), 'utf8')).toBe('library');
  expect(readdirSync(join(native, 'lib')).sort()).toEqual(['libpq.so.5', 'libpq.so.5.18']);

  rmSync(join(native, 'lib/libpq.so.5'));
  writeFileSync(join(native, 'lib/libpq.so.5'), 'copied by the package manager');
  makeLibraryLinks(native, systemRandom);
  expect(readFileSync(join(native, 'lib/libpq.so.5'), 'utf8')).toBe('copied by the package manager');
});

test('a list that names a place outside of the package is refused', () => {
  listLinks([{ source: 'native/lib/libpq.so.5.18', target: 'native/../../escaped' }]);
  expect(() => makeLibraryLinks(native, systemRandom)).toThrow('outside');
  listLinks([{ source: '/etc/passwd', target: 'native/lib/libpq.so.5' }]);
  expect(() => makeLibraryLinks(native, systemRandom)).toThrow('outside');
});

test('a package without a list has no links to make', () => {
  rmSync(join(native, 'pg-symlinks.json'));
  expect(() => makeLibraryLinks(native, systemRandom)).not.toThrow();
});

test.skipIf(process.geteuid?.() === 0)('links that cannot be made are told', () => {
  chmodSync(join(native, 'lib'), 0o555);
  expect(() => makeLibraryLinks(native, systemRandom)).toThrow('EACCES');
  chmodSync(join(native, 'lib'), 0o755);
});

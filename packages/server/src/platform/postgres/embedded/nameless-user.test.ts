import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBinariesPackage, requirePlatform } from './binaries-package.ts';
import { withoutNameLookup } from './nameless-user.ts';

test.skipIf(process.platform !== 'linux').each(['initdb', 'postgres'])(
  'in the installed %s only the name of one import changes',
  (program) => {
    const original = readFileSync(join(findBinariesPackage(requirePlatform()).nativeDir, 'bin', program));
    const changed = withoutNameLookup(original);
    expect(changed.length).toBe(original.length);
    const differing = [...original.keys()].filter((at) => original[at] !== changed[at]);
    expect(differing.length).toBe(3);
    expect(changed.toString('latin1', differing[0]! - 5, differing[2]! + 1)).toBe('getpwent');
  },
);

test.each(['', 'no such import', '\0getpwuid\0and\0getpwuid\0', 'getpwuid_r\0'])(
  'a program that does not import it once (%j) is refused',
  (text) => {
    expect(() => withoutNameLookup(Buffer.from(text, 'latin1'))).toThrow('start as a user with an entry there');
  },
);

import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Workbench } from './workbench.ts';

const maxBytes = 1024 * 1024;

/** Words that tie a file to one machine or to one registry, put together so that this file does not hold them. */
const machineBound = [
  { pattern: new RegExp(['registry', 'npmjs', 'org'].join('\\.')), why: 'names a registry; whoever installs has their own' },
  { pattern: new RegExp(`(^|[\\s"'\`(=])/(${['home', 'Users', 'work'].join('|')})/[a-z]`, 'm'), why: 'names a path of one machine' },
  // With the first characters of its body: the header alone is what those look for who mask keys, and what their tests hold.
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s|\\[nr])*[\w+/=]{32}/, why: 'holds a private key' },
];

/** Everything that git would hand to a stranger. */
export function checkRepositoryFiles({ root }: Workbench): string[] {
  const listed = spawnSync('git', ['ls-files', '-z', '--cached'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  // An archive without history has nothing to list; what is committed was checked where it was committed.
  if (listed.status !== 0) return [];
  const problems: string[] = [];
  for (const path of listed.stdout.split('\0').filter(Boolean)) {
    const file = join(root, path);
    const bytes = statSync(file, { throwIfNoEntry: false })?.size;
    if (bytes === undefined) continue;
    if (bytes > maxBytes) {
      problems.push(`${path} has ${bytes} bytes; files above ${maxBytes} make every clone slow. Generate it, or fetch it as a package.`);
      continue;
    }
    if (/(^|\/)(node_modules|dist|coverage|\.holdfast)\//.test(path))
      problems.push(`${path} is made by a command and must not be committed.`);
    const text = readFileSync(file, 'utf8');
    for (const { pattern, why } of machineBound)
      if (pattern.test(text)) problems.push(`${path} ${why}: ${pattern.exec(text)![0].trim().slice(0, 40)}`);
  }
  return problems;
}

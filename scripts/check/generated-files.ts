import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Workbench } from './workbench.ts';

/** Scripts that write files of the repository; each says with `--check` whether they are as it would write them. */
const generators = ['generate-reference'];

export function checkGeneratedFiles({ root }: Workbench): string[] {
  return generators.flatMap((name) => {
    const script = join(root, 'scripts', `${name}.ts`);
    if (!existsSync(script)) return [`scripts/${name}.ts is missing`];
    const run = spawnSync(process.execPath, ['--conditions=dev-source', script, '--check'], { cwd: root, encoding: 'utf8' });
    if (run.status === 0) return [];
    return [`${`${run.stdout}${run.stderr}`.trim()}\nRun: npm run generate`];
  });
}

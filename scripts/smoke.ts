import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAside } from './build/build-packages.ts';
import { installPacked } from './smoke/install-packed.ts';
import { runInstalled } from './smoke/run-installed.ts';

// `npm run smoke [-- --node 22.19.0]`: packs what would be published, installs it in an empty folder as a user would, and uses
// it there on the given Node, the oldest that is promised.

const { values } = parseArgs({ options: { node: { type: 'string', default: '22.19.0' } } });
const folder = mkdtempSync(join(tmpdir(), 'holdfast-smoke-'));
// The embedded database runs as another user when this is root, and must reach its data.
chmodSync(folder, 0o755);
let passed = 0;
let failed = 0;
try {
  const built = join(folder, 'built');
  const home = join(folder, 'home');
  mkdirSync(home);
  buildAside(process.cwd(), built);
  const node = installPacked(built, home, values.node);
  for await (const { guarantee, problem } of runInstalled(home, node)) {
    if (problem === undefined) passed += 1;
    else failed += 1;
    console.log(problem === undefined ? `ok      ${guarantee}` : `FAILED  ${guarantee}\n${problem.replaceAll(/^/gm, '        ')}`);
  }
} catch (error) {
  failed += 1;
  console.log(error instanceof Error ? error.message : String(error));
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

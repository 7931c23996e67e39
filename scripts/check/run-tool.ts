import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * Runs a tool of node_modules on this Node and returns its output as one problem when it fails. The file is named, not the
 * command, because a `.bin` link is a shell script on some platforms.
 */
export function runTool(root: string, file: string, args: readonly string[], cwd = root): string[] {
  const run = spawnSync(process.execPath, [join(root, 'node_modules', file), ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  if (run.status === 0) return [];
  const output = `${run.stdout ?? ''}${run.stderr ?? ''}`.trim();
  const end = run.error?.message ?? (run.signal ? `ended by ${run.signal}` : `exit code ${run.status}`);
  return [output === '' ? `${file}: ${end}, without a word` : output];
}

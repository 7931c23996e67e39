import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('runs as a process of its own: prints its URL, records calls, ends on SIGTERM', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-upstream-'));
  const recordFile = join(folder, 'calls.jsonl');
  const main = fileURLToPath(new URL('./scripted-upstream-main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=dev-source', main, '--port', '0', '--record', recordFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'paced?chunks=5&spacingMs=1', stream: true, user: 'mark' }),
    });
    expect((await response.text()).match(/word\d/g)).toHaveLength(5);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(JSON.parse(readFileSync(recordFile, 'utf8'))).toMatchObject({ marker: 'mark', whole: true });
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

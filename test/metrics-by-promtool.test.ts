import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type RunningServer } from '../packages/server/test/support/server.ts';
import { lacks } from './support/programs.ts';

describe.skipIf(lacks('promtool'))('/metrics', () => {
  let server: RunningServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.stop());

  test('pleases Prometheus, names and help texts included, after calls that went well and badly', async () => {
    const headers = { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' };
    for (const model of ['sandbox/demo', 'sandbox/demo?status=500', 'nobody/nothing']) {
      await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
      }).then((answer) => answer.text());
    }
    const metrics = await (await fetch(`${server.url}/metrics`, { headers })).text();

    const promtool = spawnSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8' });

    expect(metrics).toContain('holdfast_');
    expect(promtool.stdout + promtool.stderr).toBe('');
    expect(promtool.status).toBe(0);
  });
});

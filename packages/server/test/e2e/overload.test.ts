import { rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type Gateway } from './fixture.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-overload-'));
const blockWhile = path.join(folder, 'block');
const blocker = fileURLToPath(new URL('../support/block-event-loop.mjs', import.meta.url));

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    limits: { firstTokenMs: 30_000, stallMs: 30_000, totalMs: 60_000 },
    env: { NODE_OPTIONS: `--import=${blocker}`, BLOCK_WHILE: blockWhile, HOLDFAST_OVERLOAD_EVENT_LOOP_DELAY_MS: '60' },
  });
});
afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

test('a server whose event loop is held up refuses calls for as long as it is, says so, answers its probes and ends its streams', async () => {
  gateway.upstream.enqueue({ chunks: 60, spacingMs: 40 });
  const stream = await gateway.openai.chat.completions.create({ model: 'fast', stream: true, messages: [{ role: 'user', content: 'hi' }] });
  writeFileSync(blockWhile, '');

  const models = () => gateway.fetch('/v1/models');
  let refused: Response | undefined;
  await expect.poll(async () => (refused = await models()).status, { timeout: 20_000, interval: 10 }).toBe(503);
  expect(await refused!.json()).toMatchObject({ error: { code: 'server_overloaded' } });
  expect(refused!.headers.get('retry-after')).toMatch(/^[1-4]$/);

  const readiness = await gateway.fetch('/health/ready', { key: null });
  expect([readiness.status, await readiness.json()]).toMatchObject([
    200,
    { status: 'degraded', dependencies: expect.arrayContaining([expect.objectContaining({ name: 'load', status: 'degraded' })]) },
  ]);
  const metrics = await (await gateway.fetch('/metrics', { key: null })).text();
  expect(metrics).toMatch(/^holdfast_shed_total\{reason="event_loop_delay"\} [1-9]/m);
  expect(metrics).toMatch(/^holdfast_shed_share (?:0\.[5-9]\d*|1)$/m);
  expect(metrics).toMatch(/^holdfast_load_ratio\{signal="event_loop_delay"\} [1-9]/m);
  rmSync(blockWhile);

  let finished: string | null = null;
  for await (const chunk of stream) finished = chunk.choices[0]?.finish_reason ?? finished;
  expect(finished).toBe('stop');

  await expect.poll(gateway.server.output, { timeout: 20_000 }).toContain('every request is let in again');
  expect(gateway.server.output().match(/too much to do: a part of the requests is refused/g)).toHaveLength(1);
  for (let call = 0; call < 20; call++) expect((await models()).status).toBe(200);
});

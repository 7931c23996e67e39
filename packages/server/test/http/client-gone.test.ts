import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createFakeClock,
  createSeededRandom,
  startScriptedUpstream,
  type ScriptedUpstream,
  type UpstreamBehaviour,
} from '@holdfast/kit/testing';
import { createUuidV7 } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Closers } from '../../src/composition/index.ts';
import { openModels } from '../../src/composition/models.ts';
import { loadConfiguration } from '../../src/config/index.ts';
import { createHttpServer } from '../../src/entry/http/index.ts';
import { gatewayRoutes } from '../../src/features/gateway/index.ts';
import { createPipeline, type CallEnding, type Ledger } from '../../src/model/index.ts';
import { openSocket } from './door.ts';

// The time of the server stands still in these tests: whatever it does, no timer of its own made it do so. The connections, the
// provider, and what goes between them are real.

let upstream: ScriptedUpstream;
let folder: string;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-gone-'));
  const providers = { primary: { kind: 'openai', baseUrl: upstream.openaiBaseUrl, apiKey: 'sk-1' } };
  const models = { fast: { targets: ['primary/m'] } };
  writeFileSync(path.join(folder, 'holdfast.config.yaml'), JSON.stringify({ providers, models }));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await upstream.close();
});

/** Keeps how calls ended, at once: the database is no part of this. */
function openLedger() {
  const endings: CallEnding[] = [];
  const ledger: Ledger = {
    available: true,
    enter: () => ({
      durable: true,
      makeDurable: async () => {},
      settle: async (ending) => void endings.push(ending),
    }),
  };
  return { ledger, endings };
}

async function openGateway() {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const closers = new Closers();
  const configuration = loadConfiguration({ env: {}, cwd: folder });
  const { served } = openModels({ configuration, clock, random, closers, onCloseFailure: expect.unreachable });
  const { ledger, endings } = openLedger();
  const createId = createUuidV7(clock, random);
  const server = await createHttpServer({
    clock,
    createId,
    version: '1.2.3',
    authenticate: () => ({
      organizationId: 'o',
      organizationTier: 'unlimited',
      keyId: 'k',
      userId: undefined,
      scopes: new Set(['inference'] as const),
      allowedModels: undefined,
    }),
  });
  const pipeline = createPipeline({ models: served, limits: undefined, ledger, clock });
  server.addGateway(gatewayRoutes({ pipeline, listModels: () => [], clock, createId, maxDepth: 64 }));
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    // Draining waits by the clock that stands still: nothing is in progress any more.
    await server.drain({ timeoutMs: 0 });
    await closers.closeAll(expect.unreachable);
  });
  return { clock, endings, port };
}

test.each<[string, stream: boolean, UpstreamBehaviour]>([
  ['in the middle of a stream', true, { chunks: 100_000, spacingMs: 2 }],
  ['while a stream has not begun', true, { kind: 'silent' }],
  ['while a stream is silent', true, { chunks: 10, silentAfter: 3 }],
  ['while a plain answer is worked on', false, { kind: 'silent' }],
])('a client that leaves %s stops its provider, and no timer has to pass for that', async (_, stream, behaviour) => {
  upstream.reset();
  upstream.script('m', behaviour);
  const { clock, endings, port } = await openGateway();
  const before = clock.monotonic();
  const client = await openSocket(port);
  const body = JSON.stringify({ model: 'fast', stream, messages: [{ role: 'user', content: 'Hello' }] });
  client.socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await upstream.waitFor(([call]) => call !== undefined && (behaviour.kind === 'silent' || call.eventsSent >= 3));
  client.socket.destroy();

  await upstream.waitFor(([call]) => call?.outcome === 'client_closed');
  await expect.poll(() => endings).toMatchObject([{ outcome: 'aborted', errorCode: 'client_closed', status: 499 }]);
  expect(clock.monotonic()).toBe(before);
});

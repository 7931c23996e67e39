import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetrics } from '@holdfast/kit/telemetry';
import { createSeededRandom, startScriptedUpstream, type ScriptedUpstream } from '@holdfast/kit/testing';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp } from '../../src/app.ts';
import { createClientNames } from '../../src/composition/index.ts';
import { openConfigurationSource } from '../../src/config/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

// The stop alone, ten times in one process on one database. That SIGTERM leads to it is what lifecycle.test.ts is about, and
// `npm run test:stops` does the same with processes, for as many rounds as one likes.

const key = 'operator-bootstrap-key-0123456789-abcdef';
let postgres: TestDatabase;
let upstream: ScriptedUpstream;
let folder: string;
beforeAll(async () => {
  [postgres, upstream] = await Promise.all([startTestDatabase(), startScriptedUpstream()]);
  folder = mkdtempSync(join(tmpdir(), 'holdfast-stop-'));
  const roomy = { requestsPerMinute: 1_000_000, burst: 100_000 };
  writeFileSync(
    join(folder, 'holdfast.config.yaml'),
    JSON.stringify({
      providers: { primary: { kind: 'openai', baseUrl: upstream.openaiBaseUrl, apiKey: 'sk-upstream' } },
      models: { fast: { targets: ['primary/gpt-4o-mini'], breaker: { enabled: false } } },
      rateLimits: { levels: { global: roomy, ip: roomy } },
    }),
  );
});
afterAll(async () => {
  await upstream.close();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start() {
  if (postgres.target.kind !== 'url') throw new Error('the test database has a URL');
  const env = {
    HOLDFAST_PORT: '0',
    DATABASE_URL: postgres.target.url,
    HOLDFAST_MASTER_KEY: masterKey,
    HOLDFAST_BOOTSTRAP_KEY: key,
    POSTGRES_MAX_CONNECTIONS: '20',
  };
  const failures: string[] = [];
  const metrics = createMetrics({ isKnownModel: () => true, isKnownBreaker: () => true });
  const stopListening = metrics.listen();
  const source = openConfigurationSource({ env, cwd: folder, overrides: {} });
  const app = await startApp({
    source,
    reloadables: [],
    version: '0',
    clock: systemClock,
    random: systemRandom,
    runtimeDir: undefined,
    metrics,
    clientNames: createClientNames({ configuration: source.atStart, clock: systemClock }),
    isKnownModel: () => true,
    beginTrace: undefined,
    errorReports: undefined,
    endIfTold: () => {},
    onFatal: (reason) => failures.push(reason),
    onCloseFailure: (part, error) => failures.push(`${part}: ${String(error)}`),
  });
  return { app, metrics, failures, stopListening };
}
const masterKey = randomBytes(32).toString('hex');

type Answer = 'whole' | 'turned away' | 'not taken' | `lost: ${string}`;

/** One call as a client sees it. `not taken`: the port is closed, or an idle connection was closed in the moment of writing. */
async function call(url: string, id: string, stream: boolean): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ model: 'fast', stream, messages: [{ role: 'user', content: 'hi' }] }),
    });
  } catch {
    return 'not taken';
  }
  try {
    const text = await response.text();
    if (response.status === 503 && text.includes('"draining"')) return 'turned away';
    if (response.status === 200 && (stream ? text.includes('data: [DONE]') : text.includes('"finish_reason":"stop"'))) return 'whole';
    return `lost: ${response.status} ${text.slice(-200)}`;
  } catch (error) {
    return `lost: ${String(error)}`;
  }
}

test('a stop at any moment under load loses no request, stream, ledger row or metric', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = createSeededRandom(seed);
  const totals = { whole: 0, interruptedByStop: 0 };
  for (let round = 0; round < 10; round++) {
    const { app, metrics, failures, stopListening } = await start();
    upstream.reset();
    upstream.script('gpt-4o-mini', { chunks: 6, spacingMs: 6, firstTokenDelayMs: 10 });
    const answers = new Map<string, Answer>();
    let stopped = false;
    let sent = 0;
    let reached!: () => void;
    const moment = new Promise<void>((resolve) => (reached = resolve));
    const stopAfter = 14 + Math.floor(random.next() * 40);
    const workers = Array.from({ length: 12 }, async (_, worker) => {
      while (!stopped) {
        const id = `stop-${round}-${worker}-${sent}`;
        if (++sent === stopAfter) reached();
        answers.set(id, await call(app.url, id, random.next() < 0.5));
      }
    });
    await moment;
    totals.interruptedByStop += upstream.calls.filter(({ outcome }) => outcome !== 'whole').length;
    const { cut } = await app.stop();
    stopped = true;
    await Promise.all(workers);
    stopListening();

    const taken = [...answers].filter(([, answer]) => answer === 'whole').map(([id]) => id);
    const lost = [...answers].filter(([, answer]) => answer.startsWith('lost'));
    const why = `seed ${seed}, round ${round}`;
    expect([cut, lost, failures], why).toEqual([0, [], []]);
    const rows = await postgres.asSuperuser<{ request_id: string; outcome: string }>(
      `select request_id, outcome from holdfast.calls where request_id like 'stop-${round}-%'`,
    );
    expect(rows.map((row) => row.request_id).toSorted(), why).toEqual(taken.toSorted());
    expect(
      rows.filter(({ outcome }) => outcome !== 'completed'),
      why,
    ).toEqual([]);
    expect(upstream.calls.length, why).toBe(taken.length);
    const counted = /^holdfast_llm_calls_total\{[^}]*outcome="completed"[^}]*\} (\d+)$/m.exec(await metrics.scrape())?.[1];
    expect(Number(counted ?? 0), why).toBe(taken.length);
    totals.whole += taken.length;
  }
  // Or nothing was proven: calls were under way when it was told to stop.
  expect(totals.whole).toBeGreaterThan(80);
  expect(totals.interruptedByStop).toBeGreaterThan(20);
}, 60_000);

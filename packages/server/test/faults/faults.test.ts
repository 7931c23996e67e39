import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { catalogue, type Fault } from './catalogue.ts';
import { openScene, type Scene } from './scene.ts';

/** `npm run test:faults -- --real`: the same by the clock on the wall. */
const real = process.env['HOLDFAST_FAULTS_REAL'] === '1';
/** What sockets and timers may take on a clock that does not stand still. */
const toleranceMs = real ? 1_000 : 0;

let scene: Scene;
beforeEach(async () => {
  scene = await openScene(real);
});
afterEach(() => scene.close());

describe('the catalogue of faults', () => {
  test.each(catalogue.map((fault) => [fault.name, fault] as const))(
    '%s',
    async (_name, fault) => {
      for (const [model, script] of Object.entries(fault.upstream)) scene.upstream.script(model, script);
      const seen = await scene.call(fault.model, fault.call);

      expect({ status: seen.status, code: seen.code }).toEqual({ status: fault.client.status, code: fault.client.code });
      expect(seen.text.split(' ').filter((word) => word !== '')).toEqual(
        Array.from({ length: fault.client.words ?? 0 }, (_, at) => `word${at}`),
      );
      expect(seen.finished).toBe(fault.client.code === undefined);
      for (const [name, value] of Object.entries(fault.client.headers ?? {}))
        expect([name, seen.headers.get(name) ?? undefined]).toEqual([name, value]);
      expect(seen.tookMs).toBeLessThanOrEqual(fault.atMostMs + toleranceMs);

      expectRequests(fault);
      // The SDK repeats whatever it may; it was told not to.
      expect(scene.requests).toBe(1);
      expectRow(fault);
      await expectNothingLeft();

      scene.upstream.reset();
      scene.forget();
      expect(await scene.call(fault.model)).toMatchObject({ status: 200, finished: true, text: 'word0 word1 word2' });
    },
    120_000,
  );
});

function expectRequests({ requests }: Fault): void {
  const seen = scene.seen();
  expect(seen.map(({ model }) => model)).toEqual(requests.map(([model]) => model));
  for (const [index, [, at]] of requests.entries()) {
    const [earliest, latest] = typeof at === 'number' ? [at, at] : at;
    // Never sooner than it may; a real clock is allowed to be late.
    expect(seen[index]!.atMs).toBeGreaterThanOrEqual(earliest - (real ? 2 : 0));
    expect(seen[index]!.atMs).toBeLessThanOrEqual(latest + toleranceMs);
  }
}

function expectRow({ model, client, attempts, usageSource }: Fault): void {
  const [row, ...others] = scene.ledger.rows;
  expect(others).toEqual([]);
  expect(row).toMatchObject({ model, outcome: client.code === undefined ? 'completed' : 'failed', errorCode: client.code });
  expect(row!.attempts.map((each) => `${each.model} ${each.error_code ?? each.outcome}`)).toEqual(attempts);
  if (usageSource) expect(row!.usage?.source ?? 'none').toBe(usageSource);
  // What failed is no completion: the tokens are those of the answer that the client has.
  if (client.code === undefined && !usageSource) expect(row!.usage!.completionTokens).toBe(client.words);
}

async function expectNothingLeft(): Promise<void> {
  expect(await scene.timersLeft()).toBe(0);
  expect(scene.ledger.open).toBe(0);
  // What was held back is settled by what the rows say; the call that warmed the scene up cost 1 as well.
  const cost = scene.ledger.rows.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0);
  expect(scene.budget()).toEqual({ reserved: 0, spent: cost + 1 });
}

describe('an outage', () => {
  /** A call every five seconds, whatever became of the one before. */
  async function callUntil(
    endMs: number,
  ): Promise<{ readonly atMs: number; readonly status: number; readonly code: string | undefined; readonly retryAfter: number }[]> {
    const { clock } = scene.time;
    const began = clock.monotonic();
    const calls = [];
    while (clock.monotonic() - began < endMs) {
      const atMs = Math.round(clock.monotonic() - began);
      const { status, code, headers } = await scene.call('alone', { maxRetries: 0 });
      calls.push({ atMs, status, code, retryAfter: Number(headers.get('retry-after') ?? 0) });
      await scene.time.pass(5_000);
    }
    return calls;
  }

  test('of 60 s is met with five requests, then with none; the first after the recovery finds out that it is over', async () => {
    const { clock } = scene.time;
    const beganMs = clock.now();
    const requests: number[] = [];
    scene.upstream.script('one', () => {
      const atMs = clock.now() - beganMs;
      requests.push(Math.round(atMs / 1_000));
      return atMs < 60_000 ? { kind: 'error', status: 503 } : {};
    });
    const calls = await callUntil(80_000);

    expect(requests.slice(0, 5)).toEqual([0, 1, 3, 8, 9]);
    // The breaker opened at 9 s and lets one probe after 60 s.
    expect(requests[5]).toBeGreaterThanOrEqual(69);
    expect(calls.slice(0, 2).map(({ code }) => code)).toEqual(['provider_overloaded', 'provider_overloaded']);
    const refused = calls.filter(({ code }) => code === 'model_unavailable');
    expect(refused.length).toBeGreaterThan(8);
    for (const { atMs, status, retryAfter } of refused) {
      expect(status).toBe(503);
      // What it says holds: after the wait, a call goes through.
      expect(Math.abs(atMs / 1_000 + retryAfter - 69)).toBeLessThanOrEqual(real ? 2 : 1);
    }
    expect(calls.slice(2 + refused.length).every(({ status }) => status === 200)).toBe(true);
    expect(calls.at(-1)).toMatchObject({ status: 200 });
    expect(scene.catalog.findBreaker('p/one')!.state).toBe('closed');
    expect(scene.ledger.rows.filter(({ errorCode }) => errorCode === 'model_unavailable')[0]!.attempts).toMatchObject([
      { outcome: 'refused', error_code: 'circuit_open' },
    ]);
    await expectNothingLeft();
  }, 240_000);

  test('is bridged by the other target, at first after the retries and then at once', async () => {
    scene.upstream.script('one', { kind: 'error', status: 503 });
    expect(await scene.call('pair')).toMatchObject({ status: 200, finished: true });
    expect(await scene.call('pair')).toMatchObject({ status: 200, finished: true });
    scene.forget();
    const seen = await scene.call('pair');
    expect(seen).toMatchObject({ status: 200, finished: true });
    expect(seen.tookMs).toBeLessThanOrEqual(toleranceMs);
    expect([seen.headers.get('x-holdfast-attempts'), scene.seen().map(({ model }) => model)]).toEqual(['1', ['two']]);
    expect(scene.ledger.rows.at(-1)!.attempts.map((each) => `${each.model} ${each.error_code ?? each.outcome}`)).toEqual(['two completed']);
  }, 60_000);
});

test('waits between attempts are nobody’s overhead', async () => {
  scene.upstream.script('one', [{ kind: 'error', status: 500 }, {}]);
  const { headers } = await scene.call('alone');
  expect(Number(headers.get('x-holdfast-overhead-ms'))).toBeLessThan(real ? 500 : 1);
  const [row] = scene.ledger.rows;
  expect(Math.round(row!.layers['pause']! / 1_000)).toBe(1);
  expect(row!.overheadMs).toBeLessThan(real ? 500 : 1);
});

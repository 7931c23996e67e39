import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { metric } from './support/evidence.ts';
import { requestId, startGateway, type Gateway } from './fixture.ts';

const messages = [{ role: 'user' as const, content: 'Hello' }];

/** Two targets each, under names of their own, so that nothing that one test teaches reaches another. */
const pair = (name: string, weights?: readonly [number, number]) =>
  ['a', 'b'].map((each, at) => (weights ? { target: `primary/${name}-${each}`, weight: weights[at] } : `primary/${name}-${each}`));

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    models: {
      weighted: { strategy: 'weighted', targets: pair('weighted', [3, 1]) },
      latency: { strategy: 'latency', targets: pair('latency') },
      cost: { strategy: 'cost', targets: [...pair('cost'), 'primary/cost-unknown'] },
      plain: { targets: pair('plain'), hedge: { enabled: true, maxExtraPercent: 100 } },
      streamed: { targets: pair('streamed'), hedge: { enabled: true, maxExtraPercent: 100 } },
      translated: { targets: pair('translated'), hedge: { enabled: true, maxExtraPercent: 100 } },
      failing: { targets: pair('failing'), retry: { attempts: 1 }, hedge: { enabled: true, maxExtraPercent: 100 } },
      single: { targets: ['primary/single'], hedge: { enabled: true, maxExtraPercent: 100 } },
      losing: { targets: pair('losing'), hedge: { enabled: true, maxExtraPercent: 100 }, breaker: { threshold: 5 } },
      gone: { targets: pair('gone'), hedge: { enabled: true, maxExtraPercent: 100 } },
    },
    prices: {
      openai: {
        'cost-a': { input: 10, output: 1 },
        'cost-b': { input: 1, output: 100 },
        ...Object.fromEntries(
          ['plain-a', 'plain-b', 'streamed-a', 'streamed-b', 'single'].map((model) => [model, { input: 1, output: 2 }]),
        ),
      },
    },
  });
});
afterEach(() => gateway.upstream.reset());
afterAll(() => gateway.stop());

/** Which target the header says it was. */
async function ask(model: string, body: object = {}): Promise<string> {
  const { response } = await gateway.openai.chat.completions.create({ model, messages, ...body }).withResponse();
  return response.headers.get('x-holdfast-model')!;
}

async function stream(model: string, id = requestId()) {
  const { data, response } = await gateway.openai.chat.completions
    .create({ model, messages, stream: true }, { headers: { 'x-request-id': id } })
    .withResponse();
  let text = '';
  for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? '';
  return { id, text, served: response.headers.get('x-holdfast-model'), attempts: response.headers.get('x-holdfast-attempts') };
}

const countOf = (name: string, served: readonly string[]) => served.filter((each) => each === name).length;

describe('strategy weighted', () => {
  test('shares the calls by weight, and the header says who served', async () => {
    const served: string[] = [];
    for (let batch = 0; batch < 10; batch++) served.push(...(await Promise.all(Array.from({ length: 16 }, () => ask('weighted')))));
    // 120 of 160 are expected; 87 are six standard deviations away.
    expect(countOf('weighted-a', served)).toBeGreaterThan(87);
    expect(countOf('weighted-b', served)).toBeGreaterThan(8);
    expect(gateway.upstream.calls.map(({ model }) => model!).toSorted()).toEqual(served.toSorted());
  });

  test('one that fails leaves its calls to the other', async () => {
    gateway.upstream.script('weighted-a', { kind: 'error', status: 401 });
    for (let at = 0; at < 8; at++) expect(await ask('weighted')).toBe('weighted-b');
  });
});

describe('strategy latency', () => {
  test('goes to the faster one, and away from it when it turns slow', async () => {
    gateway.upstream.script('latency-a', { firstTokenDelayMs: 250 });
    const before: string[] = [];
    for (let at = 0; at < 30; at++) before.push((await stream('latency')).served!);
    expect(countOf('latency-b', before)).toBeGreaterThan(20);
    gateway.upstream.script('latency-a', {});
    gateway.upstream.script('latency-b', { firstTokenDelayMs: 1_000 });
    const after: string[] = [];
    for (let at = 0; at < 20; at++) after.push((await stream('latency')).served!);
    expect(countOf('latency-a', after)).toBeGreaterThan(15);
  });
});

describe('strategy cost', () => {
  test('goes to the cheapest for this call, and never first to one whose price is not known', async () => {
    expect(await ask('cost', { max_tokens: 1, messages: [{ role: 'user', content: 'x '.repeat(2_000) }] })).toBe('cost-b');
    expect(await ask('cost', { max_tokens: 1_000 })).toBe('cost-a');
    gateway.upstream.script('cost-a', { kind: 'error', status: 401 });
    gateway.upstream.script('cost-b', { kind: 'error', status: 401 });
    expect(await ask('cost', { max_tokens: 1_000 })).toBe('cost-unknown');
    expect(gateway.upstream.calls.slice(-3).map(({ model }) => model)).toEqual(['cost-a', 'cost-b', 'cost-unknown']);
  });
});

describe('a hedge', () => {
  /** What is usual is known after twenty answers, and nothing is hedged before. */
  async function learn(model: string, streamed: boolean): Promise<void> {
    for (let at = 0; at < 20; at++) await (streamed ? stream(model) : ask(model));
    expect(gateway.upstream.calls.every(({ model: asked }) => asked !== `${model}-b`)).toBe(true);
    gateway.upstream.reset();
  }

  test('of a stream is won by the second when the first is silent: its bytes alone arrive, and the first is cancelled and in the ledger', async () => {
    await learn('streamed', true);
    gateway.upstream.script('streamed-a', { firstTokenDelayMs: 900, text: 'too late' });
    gateway.upstream.script('streamed-b', { text: 'in time' });
    const { id, text, served, attempts } = await stream('streamed');
    expect([text, served, attempts]).toEqual(['in time', 'streamed-b', '2']);
    await gateway.upstream.waitFor((calls) => calls.find(({ model, outcome }) => model === 'streamed-a' && outcome === 'client_closed'));
    const [row] = await gateway.rowsOf(id);
    expect(row).toMatchObject({ outcome: 'completed', provider: 'primary', usage_source: 'provider' });
    expect(row!.attempts).toMatchObject([
      { model: 'streamed-a', outcome: 'cancelled', error_code: 'hedge_lost', usage_source: 'estimated', completion_tokens: 0 },
      { model: 'streamed-b', outcome: 'completed', error_code: null },
    ]);
    // Nothing is lost: the row costs what the answer did and what the loser did.
    const [loser] = row!.attempts!;
    expect(loser!.prompt_tokens).toBeGreaterThan(0);
    expect(loser!.cost_nano_usd).toBe(loser!.prompt_tokens! * 1_000);
    expect(row!.cost_nano_usd).toBe(row!.prompt_tokens! * 1_000 + row!.completion_tokens! * 2_000 + loser!.cost_nano_usd!);
    expect(await metric(gateway, 'holdfast_hedges_total')).toBeGreaterThan(0);
  });

  test('of a plain answer is won by the second when the first does not come', async () => {
    await learn('plain', false);
    gateway.upstream.script('plain-a', { headersDelayMs: 900 });
    const id = requestId();
    const { response } = await gateway.openai.chat.completions
      .create({ model: 'plain', messages }, { headers: { 'x-request-id': id } })
      .withResponse();
    expect(response.headers.get('x-holdfast-model')).toBe('plain-b');
    await gateway.upstream.waitFor((calls) => calls.find(({ model, outcome }) => model === 'plain-a' && outcome === 'client_closed'));
    const [row] = await gateway.rowsOf(id);
    expect(row!.attempts).toMatchObject([
      { model: 'plain-b', outcome: 'completed' },
      { model: 'plain-a', outcome: 'cancelled', error_code: 'hedge_lost' },
    ]);
  });

  test('goes once more to the same target where there is but one', async () => {
    await learn('single', true);
    gateway.upstream.script('single', [{ firstTokenDelayMs: 900, text: 'too late' }, { text: 'in time' }]);
    const { text, attempts } = await stream('single');
    expect([text, attempts]).toEqual(['in time', '2']);
    await gateway.upstream.waitFor((calls) => calls.length === 2 && calls[0]!.outcome === 'client_closed');
  });

  test('serves a client of the other dialect too', async () => {
    await learn('translated', true);
    gateway.upstream.script('translated-a', { firstTokenDelayMs: 900, text: 'too late' });
    gateway.upstream.script('translated-b', { text: 'in time' });
    const answer = await gateway.anthropic.messages.stream({ model: 'translated', max_tokens: 50, messages }).finalText();
    expect(answer).toBe('in time');
  });

  test('counts its losers at no breaker', async () => {
    await learn('losing', true);
    gateway.upstream.script('losing-a', { firstTokenDelayMs: 900 });
    for (let at = 0; at < 8; at++) expect((await stream('losing')).served).toBe('losing-b');
    // Five failures in a row would have opened it, and nobody would ask it.
    gateway.upstream.reset();
    await stream('losing');
    // The two requests of a hedge may overtake each other on the way: which came first says nothing.
    expect(gateway.upstream.calls.map(({ model }) => model)).toContain('losing-a');
  });

  test('fails with what the first target said when both fail, and both are in the ledger', async () => {
    await learn('failing', true);
    gateway.upstream.script('failing-a', { headersDelayMs: 400, kind: 'error', status: 503 });
    gateway.upstream.script('failing-b', { headersDelayMs: 500, kind: 'error', status: 500 });
    const id = requestId();
    const answer = await gateway.fetch('/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ model: 'failing', messages, stream: true }),
      headers: { 'x-request-id': id },
    });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    const [row] = await gateway.rowsOf(id);
    expect(row).toMatchObject({ outcome: 'failed' });
    expect(row!.attempts!.filter(({ outcome }) => outcome === 'failed').length).toBeGreaterThanOrEqual(2);
  });

  test('that its client leaves is stopped at both targets', async () => {
    await learn('gone', true);
    gateway.upstream.script('gone-a', { firstTokenDelayMs: 3_000 });
    gateway.upstream.script('gone-b', { firstTokenDelayMs: 3_000 });
    const id = requestId();
    const abort = new AbortController();
    const call = gateway.openai.chat.completions.create(
      { model: 'gone', messages, stream: true },
      { signal: abort.signal, headers: { 'x-request-id': id } },
    );
    call.catch(() => {});
    await gateway.upstream.waitFor((calls) => calls.length === 2);
    abort.abort();
    await gateway.upstream.waitFor((calls) => calls.every(({ outcome }) => outcome === 'client_closed'));
    const [row] = await gateway.rowsOf(id);
    expect(row).toMatchObject({ outcome: 'aborted' });
    expect(row!.attempts).toMatchObject([{ outcome: 'aborted' }, { outcome: 'aborted' }]);
  });
});

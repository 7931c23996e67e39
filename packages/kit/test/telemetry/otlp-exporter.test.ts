import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { Cancellation } from '@holdfast/kit/time';
import { createOtlpExporter, type OtlpExporterOptions } from '@holdfast/kit/telemetry/otlp';
import type { Span } from '@holdfast/kit/telemetry/tracing';
import { startOtlpReceiver, type OtlpReceiver } from '../../../../test/support/otlp-receiver.ts';

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
});
afterAll(() => receiver.close());
beforeEach(() => receiver.answerWith({}));

const traceId = '0af7651916cd43dd8448eb211c80319c';

function span(changes: Partial<Span> = {}): Span {
  return {
    traceId,
    spanId: 'b7ad6b7169203331',
    parentSpanId: undefined,
    hasRemoteParent: false,
    traceState: undefined,
    sampled: true,
    name: 'chat gpt-4o',
    kind: 'client',
    startMs: 1_763_650_000_123.456,
    endMs: 1_763_650_001_000,
    attributes: { text: 'é', whole: 7, fraction: 0.25, flag: true, list: ['a', 'b'] },
    failed: false,
    link: undefined,
    ...changes,
  };
}

function setUp(options: Partial<OtlpExporterOptions> = {}) {
  const clock = createFakeClock();
  const exporter = createOtlpExporter({
    url: `${receiver.url}/v1/traces`,
    resource: { 'service.name': 'holdfast', 'service.instance.id': 'a' },
    version: '1.2.3',
    clock,
    random: createSeededRandom(7),
    ...options,
  });
  return { clock, exporter, send: (spans: readonly Span[] = [span()]) => exporter.export(spans, new Cancellation()) };
}

/** Lets the fake time of waits pass for as long as the promise does not settle. */
async function settled<Value>(promise: Promise<Value>, clock: ReturnType<typeof createFakeClock>): Promise<Value> {
  let isSettled = false;
  void promise.finally(() => (isSettled = true)).catch(() => {});
  while (!isSettled) await clock.advanceAsync(100);
  return promise;
}

describe.each([
  ['http/protobuf', 'none'],
  ['http/protobuf', 'gzip'],
  ['http/json', 'none'],
  ['http/json', 'gzip'],
] as const)('%s, compression %s', (protocol, compression) => {
  test('what arrives is what was made, with its types and to the microsecond', async () => {
    const { exporter, send } = setUp({ protocol, compression, headers: { authorization: 'Bearer t' } });
    const link = { traceId: 'f'.repeat(32), spanId: '1'.repeat(16) };
    const child = span({
      spanId: '2'.repeat(16),
      parentSpanId: 'b7ad6b7169203331',
      hasRemoteParent: true,
      traceState: 'a=1',
      kind: 'server',
      failed: true,
      link,
    });
    expect(await send([span(), child])).toEqual({ exported: 2, rejected: 0, failed: 0 });
    const { headers, spans } = receiver.exports.at(-1)!;
    expect(headers).toMatchObject({ authorization: 'Bearer t' });
    expect(spans[0]).toMatchObject({
      traceId,
      spanId: 'b7ad6b7169203331',
      parentSpanId: undefined,
      name: 'chat gpt-4o',
      kind: 'client',
      startNanos: 1_763_650_000_123_456_055n,
      endNanos: 1_763_650_001_000_000_000n,
      failed: false,
      resource: { 'service.name': 'holdfast', 'service.instance.id': 'a' },
      scope: { name: 'holdfast', version: '1.2.3' },
      typed: {
        text: { type: 'string', value: 'é' },
        whole: { type: 'int', value: 7 },
        fraction: { type: 'double', value: 0.25 },
        flag: { type: 'boolean', value: true },
        list: { type: 'string[]', value: ['a', 'b'] },
      },
    });
    expect(spans[1]).toMatchObject({ parentSpanId: 'b7ad6b7169203331', kind: 'server', failed: true, traceState: 'a=1', links: [link] });
    await exporter.close();
  });

  test('a batch that is encoded in pieces is one request with all of it', async () => {
    const { exporter, send } = setUp({ protocol, compression });
    const before = receiver.exports.length;
    await send(Array.from({ length: 200 }, (_, at) => span({ name: `s${at}` })));
    expect(receiver.exports.length).toBe(before + 1);
    expect(receiver.exports.at(-1)!.spans.map(({ name }) => name)).toEqual(Array.from({ length: 200 }, (_, at) => `s${at}`));
    await exporter.close();
  });

  test('spans that the receiver did not want are counted, and not sent again', async () => {
    const { exporter, send } = setUp({ protocol, compression });
    receiver.answerWith({ rejectedSpans: 2 });
    const before = receiver.exports.length;
    expect(await send([span(), span(), span()])).toEqual({ exported: 1, rejected: 2, failed: 0 });
    expect(receiver.exports.length).toBe(before + 1);
    await exporter.close();
  });
});

test('encoding gives the event loop its turns', async () => {
  const { exporter, send } = setUp();
  let turns = 0;
  const count = (): void => {
    turns++;
    if (turns < 1_000) setImmediate(count);
  };
  setImmediate(count);
  await send(Array.from({ length: 640 }, () => span()));
  expect(turns).toBeGreaterThanOrEqual(10);
  await exporter.close();
});

describe('a receiver that', () => {
  test.each([429, 502, 503, 504])('answers %d is asked again with growing waits', async (status) => {
    const { exporter, send, clock } = setUp();
    receiver.answerWith({ status }, { status }, {});
    const before = receiver.exports.length;
    expect(await settled(send(), clock)).toEqual({ exported: 1, rejected: 0, failed: 0 });
    expect(receiver.exports.length).toBe(before + 3);
    await exporter.close();
  });

  test('says when to come back is left alone until then', async () => {
    const { exporter, send, clock } = setUp();
    receiver.answerWith({ status: 503, headers: { 'retry-after': '30' } }, {});
    const before = receiver.exports.length;
    const sending = send();
    await vi.waitUntil(() => clock.pendingTimers > 0 && receiver.exports.length === before + 1);
    await clock.advanceAsync(29_999);
    expect(receiver.exports.length).toBe(before + 1);
    expect(await settled(sending, clock)).toMatchObject({ exported: 1 });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(30_000);
    await exporter.close();
  });

  test('wants to be left alone for an hour costs the batch, not those behind it', async () => {
    const { exporter, send } = setUp();
    receiver.answerWith({ status: 429, headers: { 'retry-after': '3600' } });
    expect(await send()).toEqual({ exported: 0, rejected: 0, failed: 1 });
    await exporter.close();
  });

  test.each([400, 401, 404, 413, 500])('answers %d is not asked again', async (status) => {
    const { exporter, send } = setUp();
    receiver.answerWith({ status });
    const before = receiver.exports.length;
    expect(await send()).toEqual({ exported: 0, rejected: 1, failed: 0 });
    expect(receiver.exports.length).toBe(before + 1);
    await exporter.close();
  });

  test('is not there is given up after six attempts', async () => {
    const gone = await startOtlpReceiver();
    await gone.close();
    const { exporter, send, clock } = setUp({ url: `${gone.url}/v1/traces` });
    expect(await settled(send(), clock)).toEqual({ exported: 0, rejected: 0, failed: 1 });
    await exporter.close();
  });

  test('takes it and says nothing is given up after the time limit, each time', async () => {
    const { exporter, send, clock } = setUp({ timeoutMs: 1_000 });
    receiver.answerWith({ silent: true });
    const before = receiver.exports.length;
    expect(await settled(send(), clock)).toMatchObject({ failed: 1 });
    expect(receiver.exports.length).toBe(before + 6);
    await exporter.close();
  });

  test('answers a redirect leads nowhere: nothing is sent to a host that was not configured', async () => {
    const { exporter, send } = setUp();
    receiver.answerWith({ status: 307, headers: { location: 'http://127.0.0.1:9/' } });
    expect(await send()).toMatchObject({ rejected: 1 });
    await exporter.close();
  });
});

test('a cancelled export ends at once, in the middle of a wait and of a silence', async () => {
  const { exporter } = setUp();
  for (const answer of [{ status: 503 }, { silent: true }]) {
    receiver.answerWith(answer);
    const before = receiver.exports.length;
    const cancellation = new Cancellation();
    const sending = exporter.export([span()], cancellation);
    await receiver.received(before + 1);
    cancellation.cancel(new Error('stop'));
    expect(await sending).toEqual({ exported: 0, rejected: 0, failed: 1 });
  }
  await exporter.close();
});

test('at the end a batch that waits for its next attempt is attempted at once, and one that is on its way is left alone', async () => {
  const { exporter, send } = setUp();
  receiver.answerWith({ status: 503, headers: { 'retry-after': '30' } }, {});
  const before = receiver.exports.length;
  const sending = send();
  exporter.hurry?.();
  await receiver.received(before + 1);
  // The answer has to be read before there is a wait that can be ended.
  await expect.poll(() => (exporter.hurry?.(), receiver.exports.length)).toBe(before + 2);
  expect(await sending).toMatchObject({ exported: 1 });
  await exporter.close();
});

test('failures in a row are told once, and so is that it goes again', async () => {
  const told: string[] = [];
  const { exporter, send } = setUp({ onFailure: (error) => told.push((error as Error).message), onRecovery: () => told.push('recovered') });
  receiver.answerWith({ status: 400 }, { status: 400 }, {}, {});
  for (let at = 0; at < 4; at++) await send();
  expect(told).toEqual(['the receiver of traces answered 400', 'recovered']);
  await exporter.close();
});

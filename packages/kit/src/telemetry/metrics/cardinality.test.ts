import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { announcedCall as call, announcedRequest as request } from '../../../test/support/announcements.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { createCustomMetrics, createMetrics } from './index.ts';
import { Exposition } from './exposition.ts';
import { SeriesTable } from './series-table.ts';

// Whoever can choose a label chooses how much memory a server takes, and its Prometheus too.

const random = createSeededRandom(20_261_120);

/** Text of every kind that breaks an exposition: quotes, line ends, control characters, lone surrogates, endless. */
function hostileValue(_value: unknown, at: number): string {
  const kinds = ['"} 1\nfake_total{a="', '\\', '\n', '\u0000', '\ud800', '\udc00', '💥', '#', 'le', '__proto__', 'constructor', ''];
  const length = at % 1_000 === 0 ? 100_000 : at % 7;
  return `${kinds[at % kinds.length]}${at}${'x'.repeat(length)}${Math.floor(random.next() * 1e9)}`;
}

const hostile = 100_000;
const values = Array.from({ length: hostile }, hostileValue);

test('100,000 hostile values make as many series as the bound allows and one more, and each is counted', () => {
  const table = new SeriesTable(['a', 'b'], () => ({ count: 0 }), 500);
  for (const value of values) table.at([value, 'fixed']).count++;
  const entries = table.entries();
  expect(entries.length).toBe(501);
  expect(entries.reduce((sum, { series }) => sum + series.count, 0)).toBe(hostile);
  expect(table.overflowed).toBe(hostile - 500);
  expect(Math.max(...entries.flatMap(({ labels }) => labels.map((label) => label.length)))).toBeLessThanOrEqual(128);
});

test('what they leave in memory is that of the bound, though each value was a part of a long text', () => {
  const table = new SeriesTable(['a'], () => ({ count: 0 }), 500);
  const before = retainedBytes();
  for (let at = 0; at < hostile; at++) {
    // A part of a text keeps the whole of it alive in V8: 500 of these would be 50 MB.
    const body = `${'padding '.repeat(at < 600 ? 12_500 : 2)}${at}-some-model`;
    table.at([body.slice(-16)]).count++;
  }
  expect(retainedBytes() - before).toBeLessThan(2_000_000);
  expect(table.entries().length).toBe(501);
});

test('the text stays bounded and valid, and no value escapes from its quotes', async () => {
  const metrics = createMetrics({ processMetrics: false, isKnownModel: () => true, isKnownBreaker: () => true, maxOrganizations: 100 });
  for (const value of values) {
    metrics.recordRequest({ ...request, method: value, route: value, errorCode: 'internal_error', errorCategory: 'internal' });
    metrics.recordCall({ ...call, modelAsked: value, provider: value, organizationId: value });
  }
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const text = await metrics.scrape(format);
    expect(text.length).toBeLessThan(20_000_000);
    expect(text).not.toMatch(/^fake_total/m);
    let lines = 0;
    const seen = new Set<string>();
    for (const line of text.split('\n')) {
      lines++;
      if (line === '' || line.startsWith('# ')) continue;
      const match = /^([a-z0-9_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})?) [\d.e+-]+$/.exec(line);
      if (!match || seen.has(match[1]!)) throw new Error(`no line of the format, or there twice: ${line}`);
      seen.add(match[1]!);
    }
    expect(lines).toBeLessThan(120_000);
  }
});

test('a metric of a user’s own is bound in the same way, and says so', async () => {
  const custom = createCustomMetrics();
  const documents = custom.counter({ name: 'documents_total', help: 'Documents.', labels: ['kind'], maxSeries: 50 });
  const stop = custom.publish();
  for (const value of values) documents.add(1, { kind: value });
  const text = await createMetrics({ processMetrics: false }).scrape();
  stop();
  expect(text.match(/^documents_total\{/gm)!.length).toBe(51);
  expect(text).toMatch(/^documents_total\{kind="other"\} 99950$/m);
  expect(text).toMatch(/^holdfast_metrics_overflow_total\{metric="documents_total"\} 99950$/m);
});

test('values that are the same on the wire are the same series', () => {
  const table = new SeriesTable(['a'], () => ({ count: 0 }));
  for (const value of ['\ud800', '\udc00', '\ufffd']) table.at([value]).count++;
  table.at(['x'.repeat(200)]).count++;
  table.at([`${'x'.repeat(128)}y`]).count++;
  expect(table.entries().map(({ series }) => series.count)).toEqual([3, 2]);
});

test('a label called `other` from the start is where the rest is counted, not beside it', () => {
  const table = new SeriesTable(['a'], () => ({ count: 0 }), 2);
  for (const value of ['other', 'b', 'c', 'd']) table.at([value]).count++;
  const to = new Exposition('prometheus');
  to.counter({ name: 'x_total', type: 'counter', help: '', labels: { a: '' }, example: '' }, table, ({ count }) => count);
  expect(to.toString()).toBe('# HELP x_total \n# TYPE x_total counter\nx_total{a="other"} 3\nx_total{a="b"} 1\n');
});

/** Bytes of the heap after a full collection of garbage. */
function retainedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '../../testing/index.ts';
import { createCustomMetrics, createMetrics, type CustomMetrics } from './index.ts';

let clock: FakeClock;
let custom: CustomMetrics;
let stop: () => void;
beforeEach(() => {
  clock = createFakeClock();
  custom = createCustomMetrics({ clock });
  stop = custom.publish();
});
afterEach(() => stop());

/** What the scrape of somebody else in this process says of metrics that are not Holdfast's. */
async function scraped(): Promise<string[]> {
  const text = await createMetrics({ processMetrics: false }).scrape();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('holdfast_'));
}

test('counters, gauges, histograms and timers appear in the scrape of whoever scrapes this process', async () => {
  const documents = custom.counter({ name: 'documents_processed_total', help: 'Documents.', labels: ['kind'] });
  const queue = custom.gauge({ name: 'import_queue_length', help: 'Queue.' });
  const quality = custom.histogram({ name: 'answer_quality_ratio', help: 'Quality.', labels: ['model'], buckets: [0.5, 1] });
  const imports = custom.timer({ name: 'import_duration_seconds', help: 'Imports.', buckets: [1, 10] });
  documents.add(2, { kind: 'pdf' });
  documents.add(1, { kind: 'pdf' });
  queue.set(5);
  queue.add(-2);
  quality.observe(0.25, { model: 'fast' });
  quality.observe(0.75, { model: 'fast' });
  const end = imports.start();
  clock.advance(1_500);
  expect(end()).toBe(1.5);
  clock.advance(1_500);
  expect(end()).toBe(1.5);
  expect(await scraped()).toEqual([
    'documents_processed_total{kind="pdf"} 3',
    'import_queue_length 3',
    'answer_quality_ratio_bucket{model="fast",le="0.5"} 1',
    'answer_quality_ratio_bucket{model="fast",le="1"} 2',
    'answer_quality_ratio_bucket{model="fast",le="+Inf"} 2',
    'answer_quality_ratio_sum{model="fast"} 1',
    'answer_quality_ratio_count{model="fast"} 2',
    'import_duration_seconds_bucket{le="1"} 0',
    'import_duration_seconds_bucket{le="10"} 1',
    'import_duration_seconds_bucket{le="+Inf"} 1',
    'import_duration_seconds_sum 1.5',
    'import_duration_seconds_count 1',
  ]);
  stop();
  expect(await scraped()).toEqual([]);
});

test('a timer times what succeeds and what fails, at once or later, and passes result and error on', async () => {
  const timer = custom.timer({ name: 'work_seconds', help: 'Work.', labels: ['of'], buckets: [60] });
  expect(timer.time(() => 7, { of: 'a' })).toBe(7);
  expect(() =>
    timer.time(
      () => {
        throw new Error('planned');
      },
      { of: 'a' },
    ),
  ).toThrow('planned');
  await expect(timer.time(() => Promise.resolve(8), { of: 'a' })).resolves.toBe(8);
  await expect(timer.time(() => Promise.reject(new Error('planned')), { of: 'a' })).rejects.toThrow('planned');
  expect(await scraped()).toContain('work_seconds_count{of="a"} 4');
});

test('a gauge may be asked for at each scrape', async () => {
  let length = 1;
  custom.gauge({ name: 'queue_length', help: 'Queue.', read: () => length });
  expect(await scraped()).toEqual(['queue_length 1']);
  length = 2;
  expect(await scraped()).toEqual(['queue_length 2']);
});

test('an observation that is none never throws, is not counted, and is told', async () => {
  const count = custom.counter({ name: 'things_total', help: 'Things.' });
  const spread = custom.histogram({ name: 'thing_size_bytes', help: 'Sizes.', buckets: [1] });
  custom.gauge({
    name: 'broken',
    help: 'Cannot be read.',
    read: () => {
      throw new Error('broken');
    },
  });
  count.add(1);
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, undefined as never]) count.add(value);
  spread.observe(Number.NaN);
  const text = await createMetrics({ processMetrics: false }).scrape();
  expect(text).toMatch(/^things_total 1$/m);
  expect(text).toMatch(/^thing_size_bytes_count 0$/m);
  expect(text).toMatch(/^holdfast_metrics_rejected_total\{metric="things_total"\} 4$/m);
  expect(text).toMatch(/^holdfast_metrics_rejected_total\{metric="thing_size_bytes"\} 1$/m);
  expect(text).toMatch(/^holdfast_metrics_rejected_total\{metric="broken"\} 1$/m);
});

test('labels that were not declared are not shown, and one that is missing is empty', async () => {
  const count = custom.counter({ name: 'things_total', help: 'Things.', labels: ['kind'] });
  count.add(1, { kind: 'a', user: 'somebody' } as never);
  count.add(1, {} as never);
  expect(await scraped()).toEqual(['things_total{kind="a"} 1', 'things_total{kind=""} 1']);
});

test('two modules that chose the same name do not break the scrape: the first is shown', async () => {
  custom.counter({ name: 'things_total', help: 'Things.' }).add(1);
  const other = createCustomMetrics();
  other.counter({ name: 'things_total', help: 'Other things.' }).add(5);
  const end = other.publish();
  expect(await scraped()).toEqual(['things_total 1']);
  end();
});

describe('is refused where it is made', () => {
  const help = 'Things.';
  test.each<readonly [string, () => unknown, RegExp]>([
    ['a name of ours', () => custom.counter({ name: 'holdfast_things_total', help }), /Holdfast's own/],
    ['a counter without _total', () => custom.counter({ name: 'things', help }), /ends with `_total`/],
    ['a gauge with _total', () => custom.gauge({ name: 'things_total', help }), /must not end with `_total`/],
    ['a gauge that looks like a part of a histogram', () => custom.gauge({ name: 'things_bucket', help }), /must not end with `_bucket`/],
    ['a timer without its unit', () => custom.timer({ name: 'work_ms', help }), /ends with `_seconds`/],
    ['an upper-case name', () => custom.gauge({ name: 'Things', help }), /lower-case/],
    ['a name with a dash', () => custom.gauge({ name: 'my-things', help }), /lower-case/],
    ['an empty name', () => custom.gauge({ name: '', help }), /lower-case/],
    ['a name with a line end', () => custom.gauge({ name: 'a\nb', help }), /lower-case/],
    ['a name that is very long', () => custom.gauge({ name: 'a'.repeat(121), help }), /lower-case/],
    ['Prometheus’s own label', () => custom.gauge({ name: 'things', help, labels: ['le'] }), /no name for a label/],
    ['a label with a double underscore', () => custom.gauge({ name: 'things', help, labels: ['__name__'] }), /no name for a label/],
    ['a label that is no word', () => custom.gauge({ name: 'things', help, labels: ['a b'] }), /no name for a label/],
    ['a label given twice', () => custom.gauge({ name: 'things', help, labels: ['a', 'a'] }), /twice/],
    ['buckets that do not rise', () => custom.histogram({ name: 'things', help, buckets: [1, 1] }), /above the one before/],
    ['no buckets', () => custom.histogram({ name: 'things', help, buckets: [] }), /1 to 100/],
    ['an endless bucket', () => custom.histogram({ name: 'things', help, buckets: [Number.POSITIVE_INFINITY] }), /finite/],
    ['no bound', () => custom.gauge({ name: 'things', help, maxSeries: Number.POSITIVE_INFINITY }), /maxSeries/],
    ['a bound that is none', () => custom.gauge({ name: 'things', help, maxSeries: 0 }), /maxSeries/],
    ['a gauge that is read and has labels', () => custom.gauge({ name: 'things', help, labels: ['a'], read: () => 1 }), /no labels/],
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: 'configuration_invalid', message: expect.stringMatching(message) }));
  });

  test('a name that is taken, also by a counter that OpenMetrics would call the same', () => {
    custom.counter({ name: 'things_total', help });
    expect(() => custom.counter({ name: 'things_total', help })).toThrow(/of this name already/);
    expect(() => custom.gauge({ name: 'things', help })).toThrow(/of this name already/);
  });
});

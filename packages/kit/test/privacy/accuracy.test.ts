import { expect, test } from 'vitest';
import { createCorpus } from '../../../../bench/privacy/corpus.ts';
import { score } from '../../../../bench/privacy/score.ts';

// A smaller sample of another seed than the benchmark's, so that neither was what the detectors were made with.
const corpus = createCorpus(20_261_120, 2_000);

test.each(score(corpus).map((found) => [found.type, found] as const))(
  '%s is found and little else is',
  (type, { labels, precision, recall, exact }) => {
    const [leastPrecision, leastRecall] = type === 'phone' ? [0.95, 0.95] : [0.98, 0.98];
    expect(labels).toBeGreaterThan(40);
    expect(precision).toBeGreaterThanOrEqual(leastPrecision);
    expect(recall).toBeGreaterThanOrEqual(leastRecall);
    expect(exact).toBeGreaterThanOrEqual(0.95);
  },
);

test('the same seed gives the same corpus, of ten languages, and its labels are where they say', () => {
  expect(createCorpus(7, 50)).toEqual(createCorpus(7, 50));
  expect(createCorpus(8, 50)).not.toEqual(createCorpus(7, 50));
  expect(new Set(corpus.map(({ language }) => language)).size).toBe(10);
  expect(corpus.filter(({ labels }) => labels.length === 0).length).toBeGreaterThan(500);
});

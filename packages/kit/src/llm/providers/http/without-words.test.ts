import { expect, test } from 'vitest';
import { readShallowBody } from '../../spec/index.ts';
import { withoutWords } from './without-words.ts';

const bodyOf = (content: string) => readShallowBody(Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })));
const body = bodyOf('Write to Käthe Müller, Hauptstraße 7: her number is 4711-0815, and say that the credit is low');

test.each([
  ['cannot answer: "Write to Käthe Müller, Hauptstraße 7"', 'cannot answer: "… to … 7"'],
  ['KÄTHE MÜLLER is unknown to us', '… is unknown to us'],
  ['refused (4711-0815)', 'refused (…)'],
  ['Your credit balance is too low to access the API.', 'Your credit balance is too low to access the API.'],
  [
    'You exceeded your current quota, please check your plan and billing details.',
    'You exceeded your current quota, please check your plan and billing details.',
  ],
])('%s', (reason, shown) => {
  expect(withoutWords(reason, body)).toBe(shown);
});

test('words that the client escaped are found as well', () => {
  const escaped = readShallowBody(Buffer.from('{"model":"m","prompt":"K\\u00e4the \\u041c\\u0430\\u0440\\u0438\\u044f"}'));
  expect(withoutWords('refused Käthe, Мария', escaped)).toBe('refused …');
});

test('nothing is said of a large request, and none stays none', () => {
  expect(withoutWords('refused secret', bodyOf(`secret ${'x'.repeat(40_000)}`))).not.toContain('secret');
  expect(withoutWords(undefined, body)).toBeUndefined();
});

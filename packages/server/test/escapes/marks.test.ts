import { createLogger, createMetrics } from '@holdfast/kit/telemetry';
import { systemClock } from '@holdfast/kit/time';
import { expect, test } from 'vitest';
import { knownNumbers, Marks } from './marks.ts';

const origins = (marks: Marks, text: string) => marks.find(text, 'here').map(({ from }) => from);

test('a mark is found as it is, in another case, in hexadecimal and in base64 wherever it begins', () => {
  const marks = new Marks('zqxk7vw');
  const word = marks.word('a prompt');
  for (const text of [word, word.toUpperCase(), `x${word}y`]) expect(origins(marks, text)).toEqual(['a prompt']);
  for (let before = 0; before < 6; before++) {
    const text = Buffer.from(`${'{"a":1,'.slice(0, before)}${word}`);
    for (const encoding of ['base64', 'base64url', 'hex'] as const)
      expect(origins(marks, text.toString(encoding)), `${encoding} ${before}`).toHaveLength(1);
  }
  expect(origins(marks, word.slice(0, 8))).toEqual(['one of them']);
  for (const number of Object.values(knownNumbers)) expect(origins(marks, `to ${number}.`)).toHaveLength(1);
  expect(marks.find('nothing of it: [email] 127.0.0.1 zqxk', 'here')).toEqual([]);
});

test('a planted leak is found: in a member of a line that no masking knows, in a label of a metric', async () => {
  const marks = new Marks('zqxk7vw');
  let text = '';
  const { logger } = await createLogger({ clock: systemClock, sink: { write: (line) => void (text += line) } });
  logger.info({ favourite_colour: marks.word('planted in a line') }, 'a line');
  expect(marks.find(text, 'the log')).toEqual([
    { from: 'planted in a line', to: 'the log', excerpt: expect.stringContaining('favourite_colour') },
  ]);

  const metrics = createMetrics({ processMetrics: false });
  const leak = { name: 'holdfast_planted', type: 'gauge', help: 'A leak.', labels: { label: '' }, example: '' } as const;
  metrics.addGauges(leak, () => [[marks.word('planted in a label'), 1]]);
  expect(origins(marks, await metrics.scrape())).toEqual(['planted in a label']);
});

test('what masking takes out is not found, so that what is found was not masked', async () => {
  const marks = new Marks('zqxk7vw');
  let text = '';
  const { logger } = await createLogger({ clock: systemClock, sink: { write: (line) => void (text += line) } });
  logger.info({ path: `/users/${marks.secrets('a path')}` }, marks.secrets('a message'));
  expect(text).toContain('[api_key]');
  expect(marks.find(text, 'the log')).toEqual([]);
});

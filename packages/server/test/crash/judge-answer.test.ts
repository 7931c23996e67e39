import { expect, test } from 'vitest';
import { judgePlain, judgeStream } from './judge-answer.ts';

const openai = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const anthropic = (type: string, rest: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;

test('a stream counts as whole with the line that says so, without the end mark and without its blank line', () => {
  const judge = judgeStream('openai');
  judge.push(Buffer.from(openai({ content: 'word0' }) + openai({ content: ' word1' })));
  expect(judge.judgement).toMatchObject({ whole: false, words: 2, inOrder: true });
  const finish = openai({}, 'stop');
  judge.push(Buffer.from(finish.slice(0, -2)));
  expect(judge.judgement.whole).toBe(false);
  judge.push(Buffer.from('\n'));
  expect(judge.judgement).toMatchObject({ whole: true, words: 2, errorEvent: false });
});

test('a message counts as whole with its stop reason, and says what was used', () => {
  const judge = judgeStream('anthropic');
  judge.push(Buffer.from(anthropic('message_start', { message: { usage: { input_tokens: 31, output_tokens: 1 } } })));
  judge.push(Buffer.from(anthropic('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'word0' } })));
  expect(judge.judgement).toMatchObject({ whole: false, words: 1, promptTokens: 31 });
  judge.push(Buffer.from(anthropic('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } })));
  expect(judge.judgement).toMatchObject({ whole: true, promptTokens: 31, completionTokens: 1 });
});

test('a missing piece and an error are seen', () => {
  const judge = judgeStream('openai');
  judge.push(Buffer.from(openai({ content: 'word0' }) + openai({ content: ' word2' })));
  expect(judge.judgement).toMatchObject({ words: 2, inOrder: false });
  judge.push(Buffer.from('data: {"error":{"message":"gone"}}\n\n'));
  expect(judge.judgement).toMatchObject({ whole: false, errorEvent: true });
});

test('a plain answer is whole with its last byte', () => {
  const body = Buffer.from(
    JSON.stringify({
      choices: [{ message: { content: 'word0 word1' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2 },
    }),
  );
  const judge = judgePlain('openai', body.length);
  judge.push(body.subarray(0, -1));
  expect(judge.judgement).toMatchObject({ whole: false, words: 0, bytes: body.length - 1 });
  judge.push(body.subarray(-1));
  expect(judge.judgement).toMatchObject({ whole: true, words: 2, inOrder: true, promptTokens: 3, completionTokens: 2 });
});

import { expect, test } from 'vitest';
import { BlockQueue } from './block-queue.ts';

function record() {
  const events: string[] = [];
  const queue = new BlockQueue(
    (event) => {
      const {
        type,
        content_block: block,
        delta,
      } = event as { type: string; content_block?: { name?: string; id?: string }; delta?: { text?: string; partial_json?: string } };
      if (type === 'content_block_start')
        events.push(`${event['index'] as number} start ${block?.name ? `${block.name} ${block.id}` : 'text'}`);
      else if (type === 'content_block_delta') events.push(`${event['index'] as number} ${delta?.text ?? delta?.partial_json}`);
      else events.push(`${event['index'] as number} stop`);
    },
    (index) => `made_${index}`,
  );
  return { queue, taken: () => events.splice(0) };
}

test('a call streams as it comes, and the next begins when its arguments are whole', () => {
  const { queue, taken } = record();
  queue.call(0, 'a', 'f', '');
  expect(taken()).toEqual(['0 start f a']);
  queue.call(0, undefined, undefined, '{"x":');
  queue.call(0, undefined, undefined, '1}');
  expect(taken()).toEqual(['0 {"x":', '0 1}']);
  queue.call(1, 'b', 'g', '');
  expect(taken()).toEqual(['0 stop', '1 start g b']);
});

test('what is mixed waits until the open call is whole', () => {
  const { queue, taken } = record();
  queue.call(0, 'a', 'f', '{"x":');
  queue.call(1, 'b', 'g', '{}');
  queue.text('after');
  expect(taken()).toEqual(['0 start f a', '0 {"x":']);
  queue.call(0, undefined, undefined, '2}');
  expect(taken()).toEqual(['0 2}', '0 stop', '1 start g b', '1 {}', '1 stop', '2 start text', '2 after']);
  queue.end(false);
  expect(taken()).toEqual(['2 stop']);
});

test('a closing brace inside the arguments does not end them', () => {
  const { queue, taken } = record();
  queue.call(0, 'a', 'f', '{"x":{"y":1}');
  queue.call(1, 'b', 'g', '{}');
  expect(taken()).toEqual(['0 start f a', '0 {"x":{"y":1}']);
});

test('white space behind whole arguments is let pass, more arguments are not', () => {
  const { queue } = record();
  queue.call(0, 'a', 'f', '{}');
  queue.call(1, 'b', 'g', '{}');
  queue.call(0, undefined, undefined, ' \n');
  expect(() => queue.call(0, undefined, undefined, '{}')).toThrow(expect.objectContaining({ code: 'provider_malformed' }) as Error);
});

test('a call waits for its name, and gets an id when it has none', () => {
  const { queue, taken } = record();
  queue.call(0, undefined, undefined, '{');
  expect(taken()).toEqual([]);
  queue.call(0, undefined, 'f', '}');
  queue.end(false);
  expect(taken()).toEqual(['0 start f made_0', '0 {}', '0 stop']);
});

test('a call that never gets a name, or whole arguments, is malformed', () => {
  const nameless = record().queue;
  nameless.call(0, 'a', undefined, '{}');
  expect(() => nameless.end(false)).toThrow(expect.objectContaining({ code: 'provider_malformed' }) as Error);
  const broken = record().queue;
  broken.call(0, 'a', 'f', '{"x"');
  expect(() => broken.end(false)).toThrow(expect.objectContaining({ code: 'provider_malformed' }) as Error);
});

test('an answer without anything has no blocks', () => {
  const { queue, taken } = record();
  queue.end(false);
  expect(taken()).toEqual([]);
  expect(queue.hasToolCalls).toBe(false);
});

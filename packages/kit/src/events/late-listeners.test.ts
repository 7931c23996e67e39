import { expect, onTestFinished, test } from 'vitest';
import { defineChannel, handOnAnnouncements, type EventChannel } from './index.ts';

let number = 0;
function scene() {
  const channel: EventChannel<{ readonly at: number }> = defineChannel(`holdfast:test:late-${++number}`);
  const heard: string[] = [];
  const listen = (name: string) => {
    const stop = channel.subscribeLate(({ at }) => void heard.push(`${name}${at}`));
    onTestFinished(stop);
    return stop;
  };
  return { channel, heard, listen };
}
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test('a late listener hears of everything once, in order, at the end of the turn, and one listener after the other', async () => {
  const { channel, heard, listen } = scene();
  listen('a');
  listen('b');
  expect(channel.hasSubscribers).toBe(true);
  channel.publish({ at: 1 });
  channel.publish({ at: 2 });
  await Promise.resolve();
  expect(heard).toEqual([]);
  await turn();
  expect(heard).toEqual(['a1', 'a2', 'b1', 'b2']);
  channel.publish({ at: 3 });
  await turn();
  expect(heard.slice(4)).toEqual(['a3', 'b3']);
});

test('who asks has what was announced so far, what is announced meanwhile included', () => {
  const { channel, heard, listen } = scene();
  const other = scene();
  onTestFinished(other.channel.subscribeLate(({ at }) => channel.publish({ at: at + 1 })));
  listen('a');
  other.channel.publish({ at: 1 });
  channel.publish({ at: 1 });
  handOnAnnouncements();
  expect(heard).toEqual(['a1', 'a2']);
});

test('who stops listening has heard of what was announced until then, and of nothing after', async () => {
  const { channel, heard, listen } = scene();
  const stop = listen('a');
  channel.publish({ at: 1 });
  stop();
  expect(heard).toEqual(['a1']);
  expect(channel.hasSubscribers).toBe(false);
  channel.publish({ at: 2 });
  await turn();
  expect(heard).toEqual(['a1']);
});

test('a listener that throws keeps nothing from the others, and what it threw is nobody’s but the process’s', async () => {
  const { channel, heard, listen } = scene();
  const thrown: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => void thrown.push(error));
  try {
    onTestFinished(
      channel.subscribeLate(({ at }) => {
        throw new Error(String(at));
      }),
    );
    listen('b');
    channel.publish({ at: 1 });
    channel.publish({ at: 2 });
    await turn();
    await turn();
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
  expect(heard).toEqual(['b1', 'b2']);
  expect(thrown).toMatchObject([{ message: '1' }, { message: '2' }]);
});

import { EventEmitter } from 'node:events';
import { HoldfastError } from '@holdfast/kit/errors';
import { expect, test } from 'vitest';
import { reloadOnHangup } from './hangups.ts';

function setup(terminals: readonly number[] = []) {
  const signals = new EventEmitter();
  const open = new Set(terminals);
  const seen: string[] = [];
  const hangups = reloadOnHangup({ signals, isTerminal: (fd) => open.has(fd), onTerminalClosed: () => void seen.push('terminal closed') });
  const line = (_fields: object, message: string): void => void seen.push(message);
  hangups.logTo({ logger: { info: line, error: line } as never });
  return {
    hangups,
    open,
    seen,
    hangup: () => expect(signals.emit('SIGHUP'), 'somebody listens: the default would end the process').toBe(true),
    reload: async () => void seen.push('reload'),
  };
}

test('while the server runs, each signal reloads', () => {
  const { hangups, hangup, seen, reload } = setup();
  hangups.serving(reload);
  hangup();
  hangup();
  expect(seen).toEqual(['reload', 'reload']);
});

test('signals of a start are one reload, right after it', () => {
  const { hangups, hangup, seen, reload } = setup();
  hangup();
  hangup();
  expect(seen).not.toContain('reload');
  hangups.serving(reload);
  expect(seen.filter((each) => each === 'reload')).toHaveLength(1);
});

test('a start without a signal reloads nothing', () => {
  const { hangups, seen, reload } = setup();
  hangups.serving(reload);
  expect(seen).toEqual([]);
});

test('a signal during a stop does nothing, and is still listened to', () => {
  const { hangups, hangup, seen, reload } = setup();
  hangups.serving(reload);
  hangups.stopping();
  hangup();
  hangup();
  expect(seen).toEqual(['no reload: the server is stopping', 'no reload: the server is stopping']);
});

test('a terminal that is closed stops the server, at any stage', () => {
  const { hangups, hangup, seen, open, reload } = setup([0, 1, 2]);
  hangups.serving(reload);
  hangup();
  expect(seen).toEqual(['reload']);
  open.clear();
  hangup();
  expect(seen.at(-1)).toBe('terminal closed');
});

test('one stream that is still a terminal, or a server that never had one, means a reload', () => {
  const partly = setup([0, 1, 2]);
  partly.hangups.serving(partly.reload);
  partly.open.delete(0);
  partly.hangup();
  expect(partly.seen).toEqual(['reload']);
  const never = setup();
  never.hangups.serving(never.reload);
  never.hangup();
  expect(never.seen).toEqual(['reload']);
});

test.each([
  ['configuration_rejected', []],
  ['draining', []],
  ['internal_error', ['the reload of the configuration failed']],
] as const)('a reload that ends with %s is caught, and told when nothing else tells it', async (code, told) => {
  const { hangups, hangup, seen } = setup();
  hangups.serving(() => Promise.reject(new HoldfastError(code)));
  hangup();
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(told);
});

import { createFakeClock } from '@holdfast/kit/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createLogLevelControl, logLevelChanged, type LogLevel } from './log-level.ts';

function scene() {
  const clock = createFakeClock();
  const log: { level: LogLevel } = { level: 'info' };
  const told: string[] = [];
  onTestFinished(logLevelChanged.subscribe(({ from, to, by }) => void told.push(`${by}: ${from} to ${to}, said at ${log.level}`)));
  return { clock, log, told, control: createLogLevelControl(log, clock) };
}

test('an operator sets it until it is set again, and a change is told at the level that says more', () => {
  const { log, told, control } = scene();
  expect(control.set('debug', undefined, 'k1')).toStrictEqual({ level: 'debug', configured: 'info', untilMs: undefined });
  expect(log.level).toBe('debug');
  control.set('debug', undefined, 'k1');
  control.set('error', undefined, 'k1');

  expect(log.level).toBe('error');
  expect(told).toStrictEqual(['operator: info to debug, said at debug', 'operator: debug to error, said at debug']);
});

test('for a time it goes back by itself, and only the last time counts', () => {
  const { clock, log, control } = scene();
  const { untilMs } = control.set('trace', 60_000, 'k1');
  expect(untilMs).toBe(clock.now() + 60_000);
  clock.advance(30_000);
  control.set('debug', 60_000, 'k1');
  clock.advance(59_999);
  expect(log.level).toBe('debug');
  clock.advance(1);
  expect(control.state).toStrictEqual({ level: 'info', configured: 'info', untilMs: undefined });
});

test('a reload puts the new one in force, also over an operator, and one that changes nothing leaves theirs', () => {
  const { clock, log, control } = scene();
  control.set('debug', 60_000, 'k1');
  control.configure('info');
  expect(log.level).toBe('debug');
  control.configure('warn');
  expect(log.level).toBe('warn');
  clock.advance(60_000);
  expect(control.state).toStrictEqual({ level: 'warn', configured: 'warn', untilMs: undefined });
});

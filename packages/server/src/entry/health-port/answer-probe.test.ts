import { expect, test } from 'vitest';
import { answerProbe, type ProbeState } from './answer-probe.ts';

const state: ProbeState = {
  readiness: { status: 'healthy', at: 1, components: [] },
  silentMs: 0,
  stuckMs: 5_000,
  nowMs: Date.UTC(2026, 10, 20),
  version: '1.2.3',
};
const ask = (url: string, more: Partial<ProbeState> = {}, method = 'GET', accept?: string) =>
  answerProbe({ method, url, accept }, { ...state, ...more });

test('says alive until the loop has stood still for the threshold, whatever is not ready', () => {
  const readiness = { status: 'unhealthy' as const, at: 1, components: [] };
  for (const url of ['/health', '/health/live', '/health/live?x=1']) {
    expect(ask(url, { readiness }).statusCode).toBe(200);
    expect(ask(url, { silentMs: 4_999 }).statusCode).toBe(200);
    expect(ask(url, { silentMs: 5_000 }).statusCode).toBe(503);
  }
  expect(ask('/health/live', { silentMs: 1_000 })).toMatchObject({ body: expect.stringContaining('is late') });
});

test('is ready as the main thread said last, and not once its loop stands still', () => {
  expect(ask('/health/ready').statusCode).toBe(200);
  expect(ask('/health/ready', { readiness: { ...state.readiness, status: 'degraded' } }).statusCode).toBe(200);
  expect(ask('/health/ready', { readiness: { ...state.readiness, status: 'unhealthy' } }).statusCode).toBe(503);
  expect(ask('/health/ready', { silentMs: 5_000 }).statusCode).toBe(503);
});

test('answers as the draft says to those who ask for it, and nothing but probes', () => {
  expect(ask('/health/ready', {}, 'GET', 'application/health+json')).toMatchObject({
    headers: { 'content-type': 'application/health+json' },
    body: expect.stringContaining('"releaseId":"1.2.3"'),
  });
  expect(ask('/health/ready', {}, 'POST')).toEqual({ statusCode: 405 });
  expect(ask('/health', {}, 'HEAD').statusCode).toBe(200);
  for (const url of ['/', '/metrics', '/health/detailed', '/health/live/', '/HEALTH']) expect(ask(url)).toEqual({ statusCode: 404 });
});

import { expect, test } from 'vitest';
import { httpErrorRaised, type HttpErrorRaised } from '@holdfast/kit/events';
import { createOverloadDetector } from '@holdfast/kit/resilience';
import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { goodKey, openDoor, openSocket, parseAnswer } from './door.ts';

const authorized = { authorization: `Bearer ${goodKey}`, 'content-type': 'application/json' };

/** A door whose load the test sets. */
async function openLoadedDoor() {
  let heap = 0;
  const clock = createFakeClock();
  const gate = createOverloadDetector({
    clock,
    random: createSeededRandom(1),
    signals: [{ name: 'heap', read: () => heap, limit: 100, urgent: true }],
  });
  let lookups = 0;
  const door = await openDoor({
    authenticate: () => {
      lookups++;
      return Promise.reject(new Error('nobody is to be asked'));
    },
  });
  door.server.shedBy(gate);
  return {
    ...door,
    lookups: () => lookups,
    load(value: number, samples = 1) {
      heap = value;
      clock.advance(500 * samples);
    },
  };
}

test('a request that is shed is answered before its key is looked up and its body has come, in the shape of its route', async () => {
  const { url, port, load, lookups } = await openLoadedDoor();
  load(101);
  for (const [path, code] of [
    ['/v1/echo', 'server_overloaded'],
    ['/api/things/1', 'server_overloaded'],
    ['/v1/messages', 'overloaded_error'],
  ] as const) {
    const answer = await fetch(url + path, { method: 'POST', headers: { ...authorized, origin: 'https://app.example' }, body: '{}' });
    const { error } = (await answer.json()) as { error: { code?: unknown; reason?: unknown; type?: unknown } };
    expect([answer.status, [error.reason, error.code, error.type].includes(code)], JSON.stringify(error)).toEqual([503, true]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(4);
    expect(answer.headers.get('x-should-retry')).toBeNull();
    // Without it a browser would hide the refusal, and when to come back, from its page.
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
  }
  const { socket, until, received } = await openSocket(port);
  socket.write(
    'POST /v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{',
  );
  await until('server_overloaded');
  expect(parseAnswer(received()).status).toBe(503);
  socket.destroy();
  expect(lookups()).toBe(0);
});

test('probes are answered in the worst overload, and everything is again once it is over', async () => {
  const { url, load, lookups } = await openLoadedDoor();
  load(100_000);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await fetch(`${url}/v1/models`, { headers: authorized })).status).toBe(503);
  load(1, 10);
  await fetch(`${url}/v1/models`, { headers: authorized });
  expect(lookups()).toBe(1);
});

test('a stream that runs goes on to its end while new requests are shed', async () => {
  let heap = 0;
  const clock = createFakeClock();
  const { server, port, url, release } = await openDoor();
  server.shedBy(
    createOverloadDetector({
      clock,
      random: createSeededRandom(1),
      signals: [{ name: 'heap', read: () => heap, limit: 100, urgent: true }],
    }),
  );
  const { socket, until, received } = await openSocket(port);
  socket.write(
    `POST /v1/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${goodKey}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
  );
  await until('data: 1');
  heap = 101;
  clock.advance(500);
  expect((await fetch(`${url}/v1/models`, { headers: authorized })).status).toBe(503);
  release();
  await until('data: 2');
  await until('\r\n0\r\n\r\n');
  expect(received()).toContain('HTTP/1.1 200');
});

test('no line beside the access line is written for each of them', async () => {
  const { url, load } = await openLoadedDoor();
  const raised: HttpErrorRaised[] = [];
  const stop = httpErrorRaised.subscribe((event) => raised.push(event));
  load(101);
  await fetch(`${url}/v1/models`, { headers: authorized });
  stop();
  expect(raised).toMatchObject([{ code: 'server_overloaded', category: 'unavailable', logLevel: 'info' }]);
});

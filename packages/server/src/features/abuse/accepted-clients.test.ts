import { createClientIpResolver, type ClientIp } from '@holdfast/kit/security';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, test } from 'vitest';
import { createAcceptedClients } from './accepted-clients.ts';

const resolver = createClientIpResolver();
const client = (peer: string): ClientIp => resolver.resolve({ peer, header: undefined });

test('every client with a good key is told, and again only after a minute', () => {
  const clock = createFakeClock();
  const told: string[] = [];
  const accepted = createAcceptedClients({ keyAccepted: ({ address }) => told.push(address.text) }, clock);
  const clients = ['203.0.113.7', '2001:db8::1', '2001:db8:0:1::1', '10.0.0.1'];
  for (let times = 0; times < 10; times++) for (const each of clients) accepted(client(each));
  expect(told).toEqual(clients);
  clock.advance(60_000);
  accepted(client('203.0.113.7'));
  expect(told).toHaveLength(5);
});

test('nobody is passed over, however many there are', () => {
  const told = new Set<string>();
  const accepted = createAcceptedClients({ keyAccepted: ({ address }) => told.add(address.text) }, createFakeClock());
  const all = Array.from({ length: 5_000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
  for (const each of all) accepted(client(each));
  expect(told).toEqual(new Set(all));
});

import { expect, test } from 'vitest';
import { createRequestIdReader } from './request-id.ts';

const read = createRequestIdReader(() => 'new');
const of = (id: string | undefined) => read({ headers: { ...(id !== undefined && { 'x-request-id': id }) } });

test.each(['req-1', '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10', '4bf92f3577b34da6a3ce929d0e0e4736', 'build.2026-11-20_1'])(
  '%s of a client is taken',
  (id) => {
    expect(of(id)).toBe(id);
  },
);

test.each([undefined, '', 'a b', 'x'.repeat(129), '"}\n{'])('%s is none', (id) => {
  expect(of(id)).toBe('new');
});

test.each(['sk-proj-abcdefghijklmnopqrstuv0123456789', '4929748201633546', 'hf_7q2m8dkx0v5n3c9wz4t1r6y8b2e7g0j5s3h9af'])(
  '%s is a secret, and would stand in every line and row: it is not taken',
  (id) => {
    expect(of(id)).toBe('new');
  },
);

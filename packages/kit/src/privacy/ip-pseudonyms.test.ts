import { expect, test } from 'vitest';
import { createFakeClock } from '../testing/index.ts';
import { createIpPseudonyms, mask } from './index.ts';

const key = 'a key of at least 16 bytes';

test('an address has one pseudonym all day however it is written, and another tomorrow', () => {
  const clock = createFakeClock();
  const pseudonyms = createIpPseudonyms({ key, clock });
  const today = pseudonyms.of('203.0.113.7');
  expect(today).toMatch(/^ip_[0-9a-f]{16}$/);
  expect(pseudonyms.of('::ffff:203.0.113.7')).toBe(today);
  expect(pseudonyms.of('2001:DB8:0:0::1%eth0')).toBe(pseudonyms.of('2001:db8::1'));
  expect(pseudonyms.of('203.0.113.8')).not.toBe(today);
  clock.advance(86_400_000);
  expect(pseudonyms.of('203.0.113.7')).not.toBe(today);
});

test('a range has a pseudonym of its own, however it is written', () => {
  const pseudonyms = createIpPseudonyms({ key, clock: createFakeClock() });
  const network = pseudonyms.of('2001:db8::/64');
  expect(network).toMatch(/^ip_[0-9a-f]{16}$/);
  expect(pseudonyms.of('2001:DB8:0::/64')).toBe(network);
  expect(pseudonyms.of('2001:db8::/48')).not.toBe(network);
  expect(pseudonyms.of('2001:db8::')).not.toBe(network);
  for (const text of ['203.0.113.7/', '203.0.113.7/x', '/24', 'bob/24', '203.0.113.7/24/24']) expect(pseudonyms.of(text)).toBe('[ip]');
});

test('instances with the same key agree, with another key they do not', () => {
  const clock = createFakeClock();
  const [one, same, other] = [key, Buffer.from(key), `${key}!`].map((key) => createIpPseudonyms({ key, clock }).of('10.0.0.1'));
  expect(same).toBe(one);
  expect(other).not.toBe(one);
});

test('what is no address has no pseudonym, and a pseudonym is nothing to mask', () => {
  const pseudonyms = createIpPseudonyms({ key, clock: createFakeClock() });
  expect(pseudonyms.of('bob')).toBe('[ip]');
  for (let host = 0; host < 200; host++) {
    const line = `client ${pseudonyms.of(`10.0.0.${host}`)} asks`;
    expect(mask(line)).toBe(line);
  }
});

test('a short key is refused and not told', () => {
  expect(() => createIpPseudonyms({ key: 'hunter2', clock: createFakeClock() })).toThrow(
    expect.objectContaining({ code: 'configuration_invalid', message: expect.not.stringContaining('hunter2') }),
  );
});

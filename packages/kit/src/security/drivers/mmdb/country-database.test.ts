import { expect, test } from 'vitest';
import { mmdbFile } from '../../../../../../test/support/mmdb-file.ts';
import { parseIp } from '../../ip/index.ts';
import { openCountryDatabase } from './index.ts';

const maxmind = (code: string) => ({ country: { iso_code: code, geoname_id: 7 }, registered_country: { iso_code: 'XX' } });

test('the country of an address is that of the narrowest network in the file, of both families', () => {
  const database = openCountryDatabase(
    mmdbFile({
      '203.0.113.0/24': maxmind('DE'),
      '198.51.100.0/25': maxmind('BR'),
      '198.51.100.128/25': maxmind('JP'),
      '2001:db8::/32': maxmind('FR'),
    }),
  );
  const country = (text: string) => database.country(parseIp(text)!);
  expect(['203.0.113.7', '198.51.100.1', '198.51.100.200', '2001:db8:1::7', '::ffff:203.0.113.7'].map(country)).toEqual([
    'DE',
    'BR',
    'JP',
    'FR',
    'DE',
  ]);
  expect(['192.0.2.1', '2001:db9::1', '::1', '0.0.0.0', '255.255.255.255'].map(country)).toEqual(Array(5).fill(undefined));
  expect([database.databaseType, database.builtAt.toISOString()]).toEqual(['Test-Country', '2026-01-01T00:00:00.000Z']);
});

test('files with a flat country code are read as well, and what is no code of a country is none', () => {
  const database = openCountryDatabase(
    mmdbFile({ '203.0.113.0/24': { country_code: 'DE' }, '198.51.100.0/24': { country_code: 'Germany' }, '192.0.2.0/24': { city: 'x' } }),
  );
  expect(['203.0.113.7', '198.51.100.1', '192.0.2.1'].map((text) => database.country(parseIp(text)!))).toEqual([
    'DE',
    undefined,
    undefined,
  ]);
});

test('a file of IPv4 alone knows nothing of IPv6, and does not take one for the other', () => {
  const database = openCountryDatabase(mmdbFile({ '32.0.0.0/3': maxmind('US') }, { ipVersion: 4 }));
  expect(['32.1.13.184', '2001:db8::1'].map((text) => database.country(parseIp(text)!))).toEqual(['US', undefined]);
});

test('what is no such file, or only a part of one, is refused', () => {
  const whole = mmdbFile({ '0.0.0.0/1': maxmind('DE'), '128.0.0.0/1': maxmind('BR') });
  const garbled = Uint8Array.from(whole);
  garbled.fill(0xff, 6 * 96, whole.length - 200);
  for (const bytes of [new Uint8Array(), Buffer.from('not a database'), whole.subarray(0, whole.length / 2), whole.subarray(600), garbled])
    expect(() => openCountryDatabase(bytes)).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
});

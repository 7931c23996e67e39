import { Reader } from 'mmdb-lib';
import { HoldfastError } from '../../../errors/index.ts';
import type { CountryLookup } from '../../detectors/index.ts';
import { parseIp, type IpAddress } from '../../ip/index.ts';

/** What is read of a record: MaxMind's shape, or the flat one of ip-location-db. */
interface CountryRecord {
  readonly country?: { readonly iso_code?: unknown };
  readonly country_code?: unknown;
}

export interface CountryDatabase extends CountryLookup {
  /** Of the file, such as `GeoLite2-Country`. */
  readonly databaseType: string;
  readonly builtAt: Date;
}

/**
 * Countries from the bytes of a file in MaxMind's DB format, with a `country` or a `country_code` in its records: GeoLite2-Country or -City,
 * DB-IP Lite, ip-location-db. The file is yours, and so is reading it and putting a newer one in its place. Throws `configuration_invalid`
 * when it is no such file.
 */
export function openCountryDatabase(file: Uint8Array): CountryDatabase {
  const reader = open(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
  const { ipVersion, databaseType, buildEpoch } = reader.metadata;

  function country(address: IpAddress): string | undefined {
    // In a tree of IPv4 the first 32 bits of IPv6 would be taken for an address.
    if (ipVersion === 4 && address.family === 6) return undefined;
    return countryOf(reader.get(address.text) as CountryRecord | null);
  }

  try {
    // A file that was cut off has its metadata, at the end, or its tree, at the start, and fails only when it is asked.
    for (const text of asked) country(parseIp(text)!);
  } catch (error) {
    throw invalid('the country database is damaged', error);
  }
  return {
    databaseType,
    builtAt: buildEpoch,
    country(address) {
      try {
        return country(address);
      } catch {
        // A damaged place in a file that serves otherwise: the country is not known.
        return undefined;
      }
    },
  };
}

/** Some of each end of both address spaces. */
const asked = [
  '1.1.1.1',
  '8.8.8.8',
  '103.4.5.6',
  '203.0.113.7',
  '223.255.255.1',
  '2001:4860::1',
  '2606:4700::1',
  '2a00:1450::1',
  'fd00::1',
];

function open(file: Buffer): Reader<never> {
  try {
    return new Reader<never>(file);
  } catch (error) {
    throw invalid('the country database is not in MaxMind DB format', error);
  }
}

function invalid(fault: string, cause: unknown): HoldfastError {
  return new HoldfastError('configuration_invalid', { detail: fault, details: [fault], cause });
}

function countryOf(record: CountryRecord | null): string | undefined {
  const code = record?.country?.iso_code ?? record?.country_code;
  return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : undefined;
}

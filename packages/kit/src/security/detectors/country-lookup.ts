import type { IpAddress } from '../ip/index.ts';

/** A database of where addresses are. `@holdfast/kit/security/mmdb` reads MaxMind's format. */
export interface CountryLookup {
  /** ISO 3166-1 alpha-2, such as `DE`; undefined when it is not known. From memory: it is asked on the way of a request. */
  country(address: IpAddress): string | undefined;
}

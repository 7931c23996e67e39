import { createIpPseudonyms, type IpPseudonyms } from '@holdfast/kit/privacy';
import { addressKey, parseIp, parseIpRange, type Ban, type ClientIp } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { createBanIds, type BanIds } from '../features/abuse/index.ts';
import type { KeyRing } from '../platform/keyring/index.ts';

/** What is written of clients, and of bans of them, in logs, traces and reports. */
export interface ClientNames {
  /** Of whoever sent a request. The pseudonym is of what limits and bans go by, so that a client's lines and its ban have one name. */
  ofClient(client: ClientIp): string;
  /** Of an address or CIDR range, as bans and detectors have it. */
  ofRange(range: string): string;
  /** Of the key of a bucket, which is an address where nobody was known, and otherwise an id, which stays. */
  ofKey(key: string): string;
  /** The id of a ban, which `/api/bans` and `holdfast bans show` take. */
  ofBan(ban: Ban): string;
  /** Before this, everybody is `[ip]`: lines are written before the key is known, and none of them is to have an address. */
  open(keyRing: KeyRing): void;
}

const purpose = 'client pseudonyms';

export function createClientNames({ configuration, clock }: { configuration: Configuration; clock: Clock }): ClientNames {
  const full = configuration.log.clientAddresses === 'full';
  let pseudonyms: IpPseudonyms | undefined;
  let banIds: BanIds | undefined;
  const ofRange = (range: string): string => (full ? range : (pseudonyms?.of(range) ?? '[ip]'));
  return {
    ofClient: (client) => (full ? client.address.text : ofRange(client.key.text)),
    ofRange,
    ofKey: (key) => (parseIpRange(key) === undefined ? key : ofRange(key)),
    ofBan: (ban) => banIds?.of(ban) ?? '',
    open(keyRing) {
      pseudonyms = createIpPseudonyms({ key: keyRing.derive(purpose), clock });
      banIds = createBanIds(keyRing);
    },
  };
}

/**
 * What an address was called at a moment, for whoever has the machine of the server and an address that somebody complains of. Undefined for
 * what is no address.
 */
export function pseudonymAt(
  keyRing: KeyRing,
  { address, ipv6PrefixLength, unixMs }: { readonly address: string; readonly ipv6PrefixLength: number; readonly unixMs: number },
): string | undefined {
  const parsed = parseIp(address);
  if (parsed === undefined) return undefined;
  const pseudonyms = createIpPseudonyms({ key: keyRing.derive(purpose), clock: { now: () => unixMs } });
  return pseudonyms.of(addressKey(parsed, ipv6PrefixLength).text);
}

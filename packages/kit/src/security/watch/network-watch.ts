import type { Clock, Random } from '../../time/index.ts';
import type { ClientIp } from '../client-ip/index.ts';
import {
  createEndpointScanning,
  createKeyGuessing,
  endpointScanningDefaults,
  keyGuessingDefaults,
  OffenceTable,
  signInGuessingDefaults,
  type EndpointScanningOptions,
  type Finding,
  type KeyGuessingOptions,
  type SignInGuessingOptions,
} from '../detectors/index.ts';
import { addressKey, type IpRange } from '../ip/index.ts';
import { checkNumber, withDefaults } from '../options.ts';

export interface NetworkOptions {
  /** Bits of the IPv6 networks that are watched as a whole. Default 48: what a site is given, of which each client is a 65,536th. */
  readonly ipv6PrefixLength?: number;
  /** A network may do so many times as much as a client before it is banned as a whole. Default 10; Infinity never bans one. */
  readonly factor?: number;
}

export const networkDefaults = Object.freeze({ ipv6PrefixLength: 48, factor: 10 });

interface Detectors {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkOptions | undefined;
  readonly scanning: EndpointScanningOptions | undefined;
  readonly keyGuessing: KeyGuessingOptions | undefined;
  readonly signIn: SignInGuessingOptions | undefined;
}

/** What was found of a network, and the range to ban for it. */
export interface NetworkFinding {
  readonly range: IpRange;
  readonly finding: Finding;
}

/**
 * Whoever has a site's IPv6 network can be 65,536 clients, each of which stays under the threshold. So the same is counted for the whole
 * network again, with a threshold of its own.
 */
export class NetworkWatch {
  readonly #prefixLength: number;
  readonly #scans: ReturnType<typeof createEndpointScanning>;
  readonly #keys: ReturnType<typeof createKeyGuessing>;
  readonly #signIns: OffenceTable;

  constructor({ clock, random, network = {}, scanning, keyGuessing, signIn }: Detectors) {
    const { ipv6PrefixLength, factor } = withDefaults<NetworkOptions>('the networks', networkDefaults, network);
    this.#prefixLength = checkNumber('ipv6PrefixLength of the networks', ipv6PrefixLength, { min: 16, max: 128, whole: true });
    checkNumber('factor of the networks', factor, { min: 1, max: Number.POSITIVE_INFINITY });
    const times = (threshold: number): number => Math.min(threshold * factor, Number.MAX_SAFE_INTEGER);
    this.#scans = createEndpointScanning(clock, random, {
      ...scanning,
      threshold: times(scanning?.threshold ?? endpointScanningDefaults.threshold),
    });
    this.#keys = createKeyGuessing(clock, random, {
      ...keyGuessing,
      threshold: times(keyGuessing?.threshold ?? keyGuessingDefaults.threshold),
    });
    const { threshold, windowMs, maxClients } = withDefaults<SignInGuessingOptions>(
      'sign-in guessing',
      signInGuessingDefaults,
      signIn ?? {},
    );
    this.#signIns = new OffenceTable({ clock, threshold: times(threshold), windowMs, maxKeys: maxClients });
  }

  notFound(client: ClientIp, path: string, factor: number): NetworkFinding | undefined {
    const range = this.#networkOf(client);
    return range && found(range, this.#scans.notFound(range.text, path, factor));
  }

  keyRefused(client: ClientIp, credential: string, factor: number): NetworkFinding | undefined {
    const range = this.#networkOf(client);
    return range && found(range, this.#keys.refused(range.text, credential, factor));
  }

  keyAccepted(client: ClientIp): void {
    const range = this.#networkOf(client);
    if (range) this.#keys.accepted(range.text);
  }

  signInFailed(client: ClientIp, account: string): NetworkFinding | undefined {
    const range = this.#networkOf(client);
    if (range === undefined) return undefined;
    const { level } = this.#signIns.add(range.text, 1);
    if (level <= this.#signIns.threshold) return undefined;
    this.#signIns.drop(range.text);
    const evidence = { score: Math.round(level) };
    return { range, finding: { kind: 'sign_in_guessing', advice: 'ban', client: range.text, subject: account, evidence } };
  }

  #networkOf({ address, key }: ClientIp): IpRange | undefined {
    return address.family === 6 && !address.isLoopback && key.length > this.#prefixLength
      ? addressKey(address, this.#prefixLength)
      : undefined;
  }
}

function found(range: IpRange, finding: Finding | undefined): NetworkFinding | undefined {
  return finding && { range, finding };
}

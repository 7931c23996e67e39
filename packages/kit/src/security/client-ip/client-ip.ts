import { addressKey, type IpAddress, type IpRange } from '../ip/index.ts';

/** Why the header was not read to its end. The client is then the last that a trusted proxy vouched for. */
export type ForwardingFault = 'malformed' | 'too-many-hops';

/** Where a request came from, as far as those we trust say. */
export class ClientIp {
  readonly address: IpAddress;
  /** How many trusted proxies passed the request on; 0 when the address is that of the connection. */
  readonly proxies: number;
  /**
   * The address itself is that of a trusted proxy (the header was missing or faulty, or all of it is trusted), or there is none (a unix
   * socket). It stands for many, who MUST NOT be made to pay for each other: it is never banned.
   */
  readonly isTrustedProxy: boolean;
  readonly fault: ForwardingFault | undefined;
  readonly #ipv6PrefixLength: number;
  #key: IpRange | undefined;

  constructor(address: IpAddress, ipv6PrefixLength: number, proxies: number, isTrustedProxy: boolean, fault: ForwardingFault | undefined) {
    this.address = address;
    this.#ipv6PrefixLength = ipv6PrefixLength;
    this.proxies = proxies;
    this.isTrustedProxy = isTrustedProxy;
    this.fault = fault;
  }

  /** What limits, detectors and bans go by: the address, or the network of an IPv6 one. */
  get key(): IpRange {
    return (this.#key ??= addressKey(this.address, this.#ipv6PrefixLength));
  }
}

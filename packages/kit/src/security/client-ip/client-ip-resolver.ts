import { IpAddress, parseIp } from '../ip/index.ts';
import { ClientIp, type ForwardingFault } from './client-ip.ts';
import { readForwarded, readForwardedFor } from './hop-reader.ts';
import { mostHops, readClientIpOptions, type ClientIpOptions } from './options.ts';

/** What a request says of where it came from. */
export interface ForwardedRequest {
  /**
   * The address of the connection, as it was when it opened: a socket whose other end has gone no longer knows. `undefined` for a unix
   * socket: trusted as a hop, and never by a range.
   */
  readonly peer: string | undefined;
  /** The header of the options: Node's text, or a list when it came several times. */
  readonly header: string | readonly string[] | undefined;
}

export interface ClientIpResolver {
  /** The header to hand in, lower case as Node has it; `undefined` when nobody is trusted and so none is read. */
  readonly header: string | undefined;
  /** Whether the address is one whose word is taken: such are never banned. By ranges only; hops have no addresses. */
  isTrusted(address: IpAddress): boolean;
  /** Never throws, and never looks at more than 16 hops. */
  resolve(request: ForwardedRequest): ClientIp;
}

/** Stands for a peer without an address, and is never anybody's: RFC 6890 reserves it for "this host". */
const nowhere = new IpAddress(0, 0, 0xffff, 0);

/**
 * The right-most address that is not of a trusted proxy: each proxy writes down whom it heard from, at the right, so all that is left of it
 * was written by whoever that was. Throws `configuration_invalid`.
 */
export function createClientIpResolver(given: ClientIpOptions = {}): ClientIpResolver {
  const { trusted, trustedHops, header, ipv6PrefixLength } = readClientIpOptions(given);
  const trustsSomebody = trusted.size > 0 || trustedHops > 0;
  const readHops = header === 'forwarded' ? readForwarded : readForwardedFor;

  function isTrusted(address: IpAddress, hop: number): boolean {
    return hop < trustedHops || trusted.covers(address);
  }

  function walk(peer: IpAddress, text: string): ClientIp {
    const next = readHops(text);
    let address = peer;
    let fault: ForwardingFault | undefined;
    let hop = 0;
    for (; isTrusted(address, hop); hop++) {
      if (hop === mostHops) {
        fault = 'too-many-hops';
        break;
      }
      const written = next();
      if (written === undefined) break;
      const before = parseIp(written);
      if (before === undefined) {
        fault = 'malformed';
        break;
      }
      address = before;
    }
    return new ClientIp(address, ipv6PrefixLength, hop, address === nowhere || isTrusted(address, hop), fault);
  }

  return {
    header: trustsSomebody ? header : undefined,
    isTrusted: (address) => trusted.covers(address),
    resolve({ peer, header }) {
      const address = (peer === undefined ? undefined : parseIp(peer)) ?? nowhere;
      if (!trustsSomebody || header === undefined || header.length === 0)
        return new ClientIp(address, ipv6PrefixLength, 0, address === nowhere || (trustsSomebody && isTrusted(address, 0)), undefined);
      return walk(address, typeof header === 'string' ? header : header.join(','));
    },
  };
}

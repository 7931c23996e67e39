import { errorTraits, isHoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { createClientIpResolver, type AbuseWatch, type ClientIp } from '@holdfast/kit/security';
import { forwardingIgnored } from './events.ts';

/** A request that was answered with an error, as the door tells of it. */
export interface RefusedRequest {
  readonly code: ErrorCode;
  readonly unknownRoute: boolean;
  readonly keyFault: ErrorCode | undefined;
  readonly client: ClientIp;
  readonly path: string;
  readonly secret: string | undefined;
  readonly authenticated: boolean;
  readonly userAgent: string | undefined;
  readonly forwarded: boolean;
}

export interface RefusalWatchOptions {
  readonly watch: Pick<AbuseWatch, 'notFound' | 'keyRefused'>;
  /** Whether the configuration names proxies that are trusted. */
  readonly trustsProxies: boolean;
  /** Throws or rejects when the key is not good, or when nobody can tell. */
  readonly authenticate: (secret: string) => unknown;
}

const privateAddresses = createClientIpResolver({ trustedProxies: ['private', 'linklocal'] });

/**
 * Tells the detectors what the door refused. Of keys only those that nobody has: one that expired or was revoked was somebody's, and a
 * program that was not told shows it for ever. Whoever has a good key is not looking for a way in, whatever path they ask for.
 */
export function createRefusalWatch({ watch, trustsProxies, authenticate }: RefusalWatchOptions): (refused: RefusedRequest) => void {
  let forwardingTold = false;

  /**
   * A ban would hold for everybody behind it. Only where nobody is trusted, and on private addresses: on others a client would write the header
   * itself so as not to be found out.
   */
  function isForgottenProxy({ forwarded, client }: RefusedRequest): boolean {
    return forwarded && !trustsProxies && privateAddresses.isTrusted(client.address);
  }

  function tellForwarding({ forwarded, client }: RefusedRequest): void {
    if (!forwarded || forwardingTold || client.isTrustedProxy || client.proxies > 0) return;
    forwardingTold = true;
    forwardingIgnored.publish({ address: client.address.text });
  }

  async function notFound({ client, path, secret, userAgent }: RefusedRequest): Promise<void> {
    if (secret === undefined) return watch.notFound({ client, path, credential: 'absent', userAgent });
    const fault = await faultOf(secret);
    // Each is looked up, as at any other path: unless it counted, keys could be guessed here for ever.
    if (isGuess(fault)) watch.keyRefused({ client, credential: secret, userAgent });
    const credential = fault === undefined ? 'accepted' : errorTraits(fault).category === 'authentication' ? 'refused' : 'unchecked';
    watch.notFound({ client, path, credential, userAgent });
  }

  async function faultOf(secret: string): Promise<ErrorCode | undefined> {
    try {
      await authenticate(secret);
      return undefined;
    } catch (error) {
      return isHoldfastError(error) ? error.code : 'internal_error';
    }
  }

  return (refused) => {
    const { code, unknownRoute, keyFault, client, secret, userAgent } = refused;
    tellForwarding(refused);
    if (isForgottenProxy(refused)) return;
    // Whoever is limited is not to be found out the later for it.
    const limited = code === 'rate_limited';
    if (code === 'route_not_found' || (limited && unknownRoute)) void notFound(refused);
    else if (isGuess(keyFault) && secret !== undefined) watch.keyRefused({ client, credential: secret, userAgent });
  };
}

function isGuess(keyFault: ErrorCode | undefined): boolean {
  return keyFault === 'key_unknown' || keyFault === 'key_malformed';
}

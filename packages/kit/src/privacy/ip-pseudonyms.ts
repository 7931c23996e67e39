import { createHmac } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import type { Clock } from '../time/index.ts';
import { optionFault } from './options.ts';

export interface IpPseudonymsOptions {
  /** Secret, 16 bytes or more. Instances with the same key give the same pseudonyms; whoever has it can try all addresses. */
  readonly key: string | Uint8Array;
  readonly clock: Pick<Clock, 'now'>;
}

export interface IpPseudonyms {
  /**
   * `ip_` and 16 hexadecimal digits: the same all day (UTC) for the same address or CIDR range however it is written, and another tomorrow.
   * `[ip]` for what is neither.
   */
  of(address: string): string;
}

const shortestKeyBytes = 16;
const msPerDay = 86_400_000;
const mostRemembered = 10_000;

/**
 * Pseudonyms of addresses: within a day one sees that it is the same client, and over days nobody can be followed. HMAC-SHA-256 of the address
 * with a key of the day, which is HMAC-SHA-256 of the date with `key`: the key of one day tells nothing about another. Throws `configuration_invalid`.
 */
export function createIpPseudonyms({ key, clock }: IpPseudonymsOptions): IpPseudonyms {
  if ((typeof key !== 'string' && !(key instanceof Uint8Array)) || Buffer.from(key).byteLength < shortestKeyBytes)
    // Not the value: it is a secret, though a bad one.
    throw optionFault('key', `a string or bytes, ${shortestKeyBytes} or more`, typeof key);
  const secret = Buffer.from(key);
  const remembered = new Map<string, string>();
  let day = -1;
  let keyOfDay: Buffer = secret;

  return {
    of(address) {
      const today = Math.floor(clock.now() / msPerDay);
      if (today !== day) {
        day = today;
        remembered.clear();
        keyOfDay = createHmac('sha256', secret).update(`holdfast ip pseudonyms ${today}`).digest();
      }
      const known = remembered.get(address);
      if (known !== undefined) return known;
      const written = canonical(address);
      if (written === undefined) return '[ip]';
      const pseudonym = `ip_${createHmac('sha256', keyOfDay).update(written).digest('hex').slice(0, 16)}`;
      if (remembered.size >= mostRemembered) remembered.clear();
      remembered.set(address, pseudonym);
      return pseudonym;
    },
  };
}

function canonical(text: string): string | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return canonicalAddress(text);
  const address = canonicalAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  // Bits beyond the prefix are the caller's to drop: ranges are written by programs.
  return address !== undefined && /^\d{1,3}$/.test(length) ? `${address}/${Number(length)}` : undefined;
}

function canonicalAddress(text: string): string | undefined {
  const zone = text.indexOf('%');
  const address = zone < 0 ? text : text.slice(0, zone);
  const family = isIP(address);
  if (family === 0) return undefined;
  if (family === 4) return address;
  const shortest = new SocketAddress({ address, family: 'ipv6' }).address;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(shortest)?.[1] ?? shortest;
}

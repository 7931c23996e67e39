import type { AbuseWatch, ClientIp } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';

const placeBits = 10;
const places = 1 << placeBits;
const tellAgainMs = 60_000;

/**
 * Tells the watch of clients with a good key, each about once a minute: it is called for every request that succeeds, so it compares a
 * few numbers in a table of fixed size and allocates nothing. Two clients that share a place in it are told more often, which does no harm.
 */
export function createAcceptedClients(watch: Pick<AbuseWatch, 'keyAccepted'>, clock: Clock): (client: ClientIp) => void {
  const words = new Int32Array(4 * places);
  const untilMs = new Float64Array(places).fill(-Infinity);
  return (client) => {
    const { a, b, c, d } = client.address;
    const mixed = Math.imul(Math.imul(a, 31) ^ Math.imul(b, 0x85eb_ca6b) ^ Math.imul(c, 0xc2b2_ae35) ^ d, 0x9e37_79b1);
    const place = mixed >>> (32 - placeBits);
    const at = 4 * place;
    const nowMs = clock.monotonic();
    if (words[at + 3] === d && words[at + 2] === c && words[at + 1] === b && words[at] === a && nowMs < untilMs[place]!) return;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    untilMs[place] = nowMs + tellAgainMs;
    watch.keyAccepted(client);
  };
}

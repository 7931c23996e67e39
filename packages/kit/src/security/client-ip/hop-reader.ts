/**
 * Hops from a forwarding header, the nearest first. Each call gives the text of the next address to the left, `undefined` at the end, and
 * '' where something stands that is no address. Reads no more than it is asked for: what is left of the client is the client's own.
 */
export type HopReader = () => string | undefined;

/** An address with brackets, port and spaces around; whatever is longer is none. */
const longestHop = 128;
/** An element of Forwarded may carry host, proto and by as well. */
const longestElement = 1_024;

/** `X-Forwarded-For: client, proxy1, proxy2`. */
export function readForwardedFor(header: string): HopReader {
  let end = header.length;
  return () => {
    if (end < 0) return undefined;
    const lowest = Math.max(0, end - longestHop);
    let start = end;
    while (start > lowest && header.charCodeAt(start - 1) !== comma) start--;
    if (start === lowest && start > 0 && header.charCodeAt(start - 1) !== comma) {
      end = -1;
      return '';
    }
    const hop = header.slice(start, end).trim();
    end = start - 1;
    return withoutPort(hop);
  };
}

/**
 * `Forwarded: for=192.0.2.43, for="[2001:db8::17]:47011";proto=https` (RFC 7239). From the right, quotes too: a quote that the client left
 * open would otherwise swallow what the proxies wrote after it.
 */
export function readForwarded(header: string): HopReader {
  let end = header.length;
  return () => {
    if (end < 0) return undefined;
    const lowest = Math.max(0, end - longestElement);
    let start = end;
    let quoted = false;
    for (; start > lowest; start--) {
      const code = header.charCodeAt(start - 1);
      if (code === quote) quoted = !quoted;
      else if (code === comma && !quoted) break;
    }
    const element = header.slice(start, end);
    const whole = start === 0 || header.charCodeAt(start - 1) === comma;
    end = start - 1;
    // No address needs an escape, and read from the right it cannot be told what it escapes.
    if (quoted || !whole || element.includes('\\')) {
      end = -1;
      return '';
    }
    return withoutPort(forParameter(element));
  };
}

const comma = 44;
const quote = 34;
const semicolon = 59;

/** The value of `for`, unquoted; '' when there is none, or more than one. One pass: who sent it may have made it for a slow one. */
function forParameter(element: string): string {
  let found: string | undefined;
  let quoted = false;
  let start = 0;
  for (let at = 0; at <= element.length; at++) {
    const code = at === element.length ? semicolon : element.charCodeAt(at);
    if (code === quote) quoted = !quoted;
    if (code !== semicolon || quoted) continue;
    const pair = element.slice(start, at).trim();
    start = at + 1;
    if (pair.slice(0, 4).toLowerCase() !== 'for=') continue;
    if (found !== undefined) return '';
    found = pair.slice(4);
  }
  if (found === undefined) return '';
  // RFC 7239, section 6: an IPv6 address, and whatever has a port, stands in quotes; many leave them away.
  return found.length > 1 && found.startsWith('"') && found.endsWith('"') ? found.slice(1, -1) : found;
}

/** `192.0.2.1:443` and `[2001:db8::1]:443` are written too. */
function withoutPort(hop: string): string {
  if (hop.charCodeAt(0) === 91) return /^\[([^\]]*:[^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? '';
  const colon = hop.indexOf(':');
  if (colon < 0 || hop.includes(':', colon + 1)) return hop;
  return /^\d{1,5}$/.test(hop.slice(colon + 1)) ? hop.slice(0, colon) : '';
}

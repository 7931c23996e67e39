/**
 * `name=value,name=value`, names and values percent-encoded: the form of OpenTelemetry's variables (that of W3C baggage). Undefined for a
 * text that is not of it. Of a name that is there twice the last counts.
 */
export function parseKeyValueList(text: string): Readonly<Record<string, string>> | undefined {
  const pairs: Record<string, string> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    if (equals < 1) return undefined;
    try {
      const name = decodeURIComponent(part.slice(0, equals).trim());
      if (name === '') return undefined;
      pairs[name] = decodeURIComponent(part.slice(equals + 1).trim());
    } catch {
      return undefined;
    }
  }
  return pairs;
}

/** The same for headers of HTTP: names that are some, and values without what would begin another header. */
export function isHeaderList(text: string): boolean {
  const headers = parseKeyValueList(text);
  return (
    headers !== undefined &&
    Object.entries(headers).every(
      ([name, value]) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name) && /^[\x20-\x7e]{0,4096}$/.test(value),
    )
  );
}

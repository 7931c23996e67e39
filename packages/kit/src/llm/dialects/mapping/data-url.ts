export interface MediaData {
  /** Lower case, without parameters. */
  readonly mediaType: string;
  readonly base64: string;
}

/** Takes a base64 data URL apart; undefined for any other. Touches only the head: the data may be megabytes. */
export function readDataUrl(url: string): MediaData | undefined {
  if (url.slice(0, 5).toLowerCase() !== 'data:') return undefined;
  const comma = url.indexOf(',');
  if (comma < 0 || comma > 256) return undefined;
  const [mediaType = '', ...parameters] = url.slice(5, comma).toLowerCase().split(';');
  if (parameters.at(-1)?.trim() !== 'base64') return undefined;
  return { mediaType: mediaType.trim(), base64: url.slice(comma + 1) };
}

export function writeDataUrl(data: MediaData): string {
  return `data:${data.mediaType};base64,${data.base64}`;
}

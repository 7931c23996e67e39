import type { AttemptHead, Dialect } from '../spec/index.ts';

/** They describe bytes that the client does not get. */
const ofTheBody: ReadonlySet<string> = new Set([
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
  'etag',
]);

/** The provider's headers without those that describe its own body. */
export function travellingHead(head: AttemptHead): AttemptHead {
  return { headers: without(head.headers, (name) => ofTheBody.has(name)) };
}

/** The client's headers without those that only its own dialect understands (`anthropic-beta`, `openai-organization`, …). */
export function travellingRequestHeaders(headers: Readonly<Record<string, string>>, dialect: Dialect): Readonly<Record<string, string>> {
  return without(headers, (name) => name.startsWith(`${dialect}-`));
}

function without(headers: Readonly<Record<string, string>>, leaveOut: (name: string) => boolean): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !leaveOut(name)));
}

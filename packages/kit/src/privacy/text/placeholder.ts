import { sensitiveTypes, type SensitiveType } from '../finding.ts';

/** What stands in a masked text. One for both kinds of addresses: which it was helps nobody who may not see it. */
export function placeholderOf(type: SensitiveType): string {
  return placeholders[type];
}

const placeholders = Object.fromEntries(
  sensitiveTypes.map((type) => [type, `[${type === 'ipv4' || type === 'ipv6' ? 'ip' : type}]`]),
) as Readonly<Record<SensitiveType, string>>;

const all = new Set(Object.values(placeholders));
const longest = Math.max(...[...all].map(({ length }) => length));

export function isPlaceholder(text: string, start: number, end: number): boolean {
  return end - start <= longest && all.has(text.slice(start, end));
}

import { healthJsonType } from './health-json.ts';

/**
 * Whether a client asks for `application/health+json`: it names that type, and likes it no less than plain JSON. Whoever accepts anything gets
 * plain JSON. (RFC 9110, section 12.5.1; a range that cannot be read counts as not there.)
 */
export function prefersHealthJson(accept: string | undefined): boolean {
  // Nearly every probe sends none, or one that names neither.
  if (accept === undefined || !accept.toLowerCase().includes(healthJsonType)) return false;
  const qualities = new Map<string, number>();
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    const quality = q === undefined ? 1 : Number(q.slice(2));
    if (quality >= 0 && quality <= 1) qualities.set(type, quality);
  }
  const health = qualities.get(healthJsonType) ?? 0;
  const plain = qualities.get('application/json') ?? qualities.get('application/*') ?? qualities.get('*/*') ?? 0;
  return health > 0 && health >= plain;
}

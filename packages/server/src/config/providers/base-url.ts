/** Why a text cannot be the address of a provider; undefined when it can. Never repeats the text: it may hold a password. */
export function baseUrlFault(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'expected a URL.';
  const url = URL.parse(value);
  if (url === null) return 'expected an absolute URL, such as https://api.example.com/v1.';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'only http and https can be used.';
  if (url.username !== '' || url.password !== '') return 'it must not hold a user name or password. Use apiKey, apiKeyFile or apiKeyEnv.';
  if (value.includes('?') || value.includes('#')) return 'it must not have a query or a fragment.';
  return undefined;
}

/** One spelling of an address: paths are appended to it. */
export function normaliseBaseUrl(value: string): string {
  return new URL(value).href.replace(/\/+$/, '');
}

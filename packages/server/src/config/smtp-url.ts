/** A mail server, out of `smtp://user:password@host:587`. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'starttls' | 'none';
  readonly auth?: { readonly user: string; readonly password: string };
}

/** Why a text is no address of a mail server; undefined when it is one. Never repeats it: it may hold a password. */
export function smtpUrlFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '')
    return 'expected a URL such as smtp://user:password@host:587.';
  if (url.hash !== '' || !/^\/?$/.test(url.pathname)) return 'it must not have a path or a fragment.';
  const words = [...url.searchParams];
  if (words.length > 1 || words.some(([name, value]) => name !== 'tls' || value !== 'none' || url.protocol === 'smtps:'))
    return 'the only parameter is ?tls=none, of smtp.';
  return decoded(url.username) === undefined || decoded(url.password) === undefined
    ? 'its user or password is wrongly encoded.'
    : undefined;
}

/** Of a text without a fault. */
export function readSmtpUrl(text: string): SmtpServer {
  const url = new URL(text);
  const secure = url.protocol === 'smtps:';
  const user = decoded(url.username)!;
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    security: secure ? 'tls' : url.searchParams.get('tls') === 'none' ? 'none' : 'starttls',
    ...(user !== '' && { auth: { user, password: decoded(url.password)! } }),
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

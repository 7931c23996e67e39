/**
 * `redis[s]://[[user][:password]@]host[:port][/database]` and nothing more: the client would ignore parameters without a word, and who
 * writes `?ssl=…` believes that it is in force.
 */
export function isRedisUrl(text: string): boolean {
  if (!/^rediss?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { hostname, pathname, search, hash, username, password } = new URL(text);
  return hostname !== '' && /^\/?\d{0,5}$/.test(pathname) && search === '' && hash === '' && isDecodable(username) && isDecodable(password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

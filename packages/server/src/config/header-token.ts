/** What can stand in an HTTP header as a credential: a line break in it would be a second header. */
export function isHeaderToken(value: string): boolean {
  return /^[\x21-\x7e]{1,4096}$/.test(value);
}

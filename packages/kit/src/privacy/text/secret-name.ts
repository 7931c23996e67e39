/** Endings of names whose value is a secret, in lower case and without `_`, `-`, blanks and dots. */
const endings = [
  'authorization',
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'secret',
  'token',
  'cookie',
  'apikey',
  'accesskey',
  'privatekey',
  'secretkey',
  'masterkey',
  'signingkey',
  'encryptionkey',
  'accountkey',
  'connectionstring',
  'credential',
  'credentials',
];
const whole = new Set([
  'pwd',
  'pass',
  'sid',
  'sessionid',
  'cvv',
  'cvc',
  'pin',
  'dsn',
  'jwt',
  'auth',
  'otp',
  'privatekeypem',
  'xapikey',
  'secrets',
  'passwords',
  'cookies',
]);
/** Tokens that open nothing: where a list goes on, and those that models read and write. */
const harmless = /(?:page|continuation|next|eos|bos|pad|stop|max|min|per|prompt|completion|input|output|special)token$/;

const longestName = 64;
const known = new Map<string, boolean>();
const mostKnown = 2_000;

/** Whether a member, header or variable of this name holds a secret: `Authorization`, `db_password`, `X-Api-Key`, `refreshToken`. */
export function isSecretName(name: string): boolean {
  if (name.length < 3 || name.length > longestName) return false;
  let answer = known.get(name);
  if (answer === undefined) {
    const plain = name.toLowerCase().replace(/[_\-. ]/g, '');
    answer = whole.has(plain) || (endings.some((ending) => plain.endsWith(ending)) && !harmless.test(plain));
    // Names come from outside: forgotten all at once rather than kept for ever.
    if (known.size >= mostKnown) known.clear();
    known.set(name, answer);
  }
  return answer;
}

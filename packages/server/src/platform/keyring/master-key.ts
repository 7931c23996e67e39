import { HoldfastError } from '@holdfast/kit/errors';

/** One root secret. Versions grow; the highest is the one that new things are made with, older ones still verify. */
export interface MasterKey {
  readonly version: number;
  /** 32 bytes. */
  readonly secret: Buffer;
}

export const masterKeyBytes = 32;
const maxVersion = 2 ** 31 - 1;

/**
 * The text form: 32 bytes in hex or base64, as `openssl rand -hex 32` or `-base64 32` prints them, with an optional
 * `<version>:` before it (1 when there is none). Several are separated by commas or line breaks; `#` starts a comment line.
 * Anything else is refused with `master_key_unusable`; a passphrase too, since it has not the entropy that a root needs.
 */
export function parseMasterKeys(text: string, origin: string): readonly MasterKey[] {
  const keys = new Map<number, MasterKey>();
  for (const line of text.split(/[\n,]/)) {
    const word = line.trim();
    if (word === '' || word.startsWith('#')) continue;
    const key = parseOne(word, origin);
    if (keys.has(key.version)) throw unusable(origin, `names version ${key.version} twice`);
    keys.set(key.version, key);
  }
  if (keys.size === 0) throw unusable(origin, 'is empty');
  return [...keys.values()].sort((a, b) => b.version - a.version);
}

export function formatMasterKey(key: MasterKey): string {
  return `${key.version}:${key.secret.toString('base64url')}\n`;
}

function parseOne(word: string, origin: string): MasterKey {
  const match = /^(?:(\d{1,10}):)?([A-Za-z0-9+/_-]+={0,2})$/.exec(word);
  const encoded = match?.[2];
  if (encoded === undefined) throw unusable(origin, 'is neither hex nor base64');
  const version = Number(match?.[1] ?? 1);
  if (version < 1 || version > maxVersion) throw unusable(origin, `has the version ${version}, which is out of range`);
  // 64 hex digits are valid base64 of 48 bytes too; hex is meant, because no other length is accepted.
  const secret = /^[0-9a-f]{64}$/i.test(encoded) ? Buffer.from(encoded, 'hex') : Buffer.from(encoded, 'base64');
  if (secret.length !== masterKeyBytes) throw unusable(origin, `has ${secret.length} bytes instead of ${masterKeyBytes}`);
  if (secret.every((byte) => byte === secret[0])) throw unusable(origin, 'repeats one byte');
  return { version, secret };
}

/** Says what is wrong, never what was read: the value is a secret, even a malformed one. */
function unusable(origin: string, fault: string): HoldfastError {
  return new HoldfastError('master_key_unusable', {
    detail: `${origin} ${fault}; 32 random bytes in hex or base64 are needed, as \`openssl rand -base64 32\` prints them`,
    details: { source: origin, fault },
  });
}

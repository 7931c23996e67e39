import type { Random } from '@holdfast/kit/time';
import type { Language } from './languages.ts';

// Values that are valid: check digits are computed here, by other code than that which checks them.

export interface Chance {
  readonly random: Random;
  whole(from: number, to: number): number;
  pick<Item>(items: readonly Item[]): Item;
  characters(alphabet: string, count: number): string;
}

export function chanceOf(random: Random): Chance {
  const whole = (from: number, to: number) => from + Math.floor(random.next() * (to - from + 1));
  const pick = <Item>(items: readonly Item[]): Item => items[whole(0, items.length - 1)]!;
  return { random, whole, pick, characters: (alphabet, count) => Array.from({ length: count }, () => pick([...alphabet])).join('') };
}

const digits = '0123456789';
const hex = '0123456789abcdef';
const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const base64url = `${alphanumeric}-_`;

export function digitsLike(pattern: string, chance: Chance): string {
  return pattern.replace(/[#$]/g, (sign) => String(chance.whole(sign === '$' ? 2 : 0, 9)));
}

function luhnDigit(payload: string): number {
  const sum = [...payload].reverse().reduce((total, character, index) => {
    const doubled = Number(character) * (index % 2 === 0 ? 2 : 1);
    return total + Math.floor(doubled / 10) + (doubled % 10);
  }, 0);
  return (10 - (sum % 10)) % 10;
}

export function cardNumber(chance: Chance, isValid = true): string {
  const [prefix, length] = chance.pick([
    ['4', 16],
    ['51', 16],
    ['2221', 16],
    ['34', 15],
    ['37', 15],
    ['6011', 16],
    ['3530', 16],
    ['36', 14],
  ] as const);
  const payload = prefix + chance.characters(digits, length - prefix.length - 1);
  const check = (luhnDigit(payload) + (isValid ? 0 : chance.whole(1, 9))) % 10;
  return payload + String(check);
}

export function writtenCard(number: string, chance: Chance): string {
  const separator = chance.pick(['', ' ', '-']);
  const groups = number.length === 16 ? [4, 4, 4, 4] : number.length === 15 ? [4, 6, 5] : [4, 6, 4];
  let at = 0;
  return groups.map((length) => number.slice(at, (at += length))).join(separator);
}

/** Lengths are the countries'; what stands inside is arbitrary. The remainder is taken with big integers. */
export function ibanOf([country, length]: Language['iban'], chance: Chance, isValid = true): string {
  const bank = country === 'GB' || country === 'NL' ? chance.characters('ABCDEFGHIJKLMNOPQRSTUVWXYZ', 4) : '';
  const account = bank + chance.characters(digits, length - 4 - bank.length);
  const numeric = [...`${account}${country}00`].map((character) => Number.parseInt(character, 36)).join('');
  const check = 98 - Number(BigInt(numeric) % 97n);
  return `${country}${String(isValid ? check : ((check + chance.whole(1, 90)) % 97) + 1).padStart(2, '0')}${account}`;
}

export function writtenIban(iban: string, chance: Chance): string {
  return chance.pick([iban, iban.replace(/(.{4})(?=.)/g, '$1 ')]);
}

export function ipv4Of(chance: Chance): string {
  const first = chance.pick([10, 23, 45, 81, 100, 172, 185, 192, 203, 212]);
  return [first, chance.whole(0, 255), chance.whole(0, 255), chance.whole(1, 254)].join('.');
}

export function ipv6Of(chance: Chance): string {
  const group = () => chance.whole(1, 0xffff).toString(16);
  return chance.pick([
    () => Array.from({ length: 8 }, group).join(':'),
    () => `2001:db8:${group()}::${group()}`,
    () => `fe80::${chance.whole(0x100, 0xfff).toString(16)}:${group()}:fe${chance.characters(hex, 2)}:${group()}`,
    () => `2a02:${group()}:${group()}:${group()}::1`,
  ])();
}

export function ssnOf(chance: Chance): string {
  let area = chance.whole(1, 899);
  if (area === 666) area = 665;
  return `${String(area).padStart(3, '0')}-${String(chance.whole(1, 99)).padStart(2, '0')}-${String(chance.whole(1, 9999)).padStart(4, '0')}`;
}

export function apiKeyOf(chance: Chance): string {
  return chance.pick([
    () => `sk-proj-${chance.characters(base64url, 48)}`,
    () => `sk-${chance.characters(alphanumeric, 48)}`,
    () => `sk-ant-api03-${chance.characters(base64url, 95)}`,
    () => `AKIA${chance.characters('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`,
    () => `AIza${chance.characters(base64url, 35)}`,
    () => `${chance.pick(['ghp', 'gho', 'ghs'])}_${chance.characters(alphanumeric, 36)}`,
    () => `github_pat_${chance.characters(alphanumeric, 22)}_${chance.characters(alphanumeric, 59)}`,
    () => `xoxb-${chance.characters(digits, 12)}-${chance.characters(digits, 12)}-${chance.characters(alphanumeric, 24)}`,
    () => `${chance.pick(['sk', 'rk', 'pk'])}_${chance.pick(['live', 'test'])}_${chance.characters(alphanumeric, 24)}`,
    () => `hf_${chance.characters(alphanumeric, 34)}`,
    () => `hf_${chance.characters('0123456789abcdefghjkmnpqrstvwxyz', 40)}`,
  ])();
}

export function jwtOf(chance: Chance): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: chance.pick(['HS256', 'RS256', 'EdDSA']), typ: 'JWT' })}.${part({ sub: chance.characters(digits, 8), iat: 1_700_000_000 })}.${chance.characters(base64url, 43)}`;
}

export function bearerOf(chance: Chance): string {
  return chance.characters(alphanumeric, chance.whole(20, 60));
}

export function passwordOf(chance: Chance): string {
  return `${chance.characters(alphanumeric, chance.whole(7, 14))}${chance.pick(['', '!', '$x', '*'])}7`;
}

export function privateKeyOf(chance: Chance): string {
  const label = chance.pick(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'OPENSSH PRIVATE KEY']);
  const body = Array.from({ length: chance.whole(2, 6) }, () => chance.characters(`${alphanumeric}+/`, 64));
  const lineEnd = chance.pick(['\n', '\\n']);
  return [`-----BEGIN ${label}-----`, ...body, `-----END ${label}-----`].join(lineEnd);
}

/** Looks like something and is nothing: what stands in logs and letters every day. */
export function hardNegative(language: Language, chance: Chance): string {
  const number = (count: number) => chance.characters(digits, count);
  return chance.pick([
    () => `${language.order} ${number(10)}`,
    () => `${language.order} ${chance.whole(1000, 9999)}-${number(4)}-${number(4)}`,
    () => `invoice INV-${number(4)}-${number(6)} total 1,299.00`,
    () =>
      `request ${chance.characters(hex, 8)}-${chance.characters(hex, 4)}-4${chance.characters(hex, 3)}-a${chance.characters(hex, 3)}-${chance.characters(hex, 12)} took ${number(3)} ms`,
    () =>
      `upgraded from v${chance.whole(1, 20)}.${chance.whole(0, 40)}.${chance.whole(0, 9)} to version ${chance.whole(1, 20)}.${chance.whole(0, 40)}.${chance.whole(0, 9)}.${chance.whole(0, 99)}`,
    () =>
      `"user_agent":"Mozilla/5.0 (X11; Linux x86_64) Chrome/${chance.whole(90, 130)}.0.${chance.whole(0, 255)}.${chance.whole(0, 255)} Safari/537.36"`,
    () =>
      `20${chance.whole(10, 29)}-0${chance.whole(1, 9)}-1${chance.whole(0, 9)}T1${chance.whole(0, 9)}:2${chance.whole(0, 9)}:3${chance.whole(0, 9)}.${number(3)}Z job finished`,
    () => `ts=17${number(11)} offset=${number(9)} partition=${number(2)}`,
    () => `payment reference ${cardNumber(chance, false)}`,
    () => `reference ${ibanOf(language.iban, chance, false)}`,
    () => `commit ${chance.characters(hex, 40)} by the build ${number(8)}`,
    () => `mac ${Array.from({ length: 6 }, () => chance.characters(hex, 2)).join(':')} on port ${chance.whole(1024, 65535)}`,
    () => `fingerprint SHA1 ${Array.from({ length: 20 }, () => chance.characters(hex, 2)).join(':')}`,
    () => `call to std::vector::push_back at ${chance.whole(10, 23)}:${chance.whole(10, 59)}:${chance.whole(10, 59)}`,
    () => `tracking 1Z${number(3)}W${number(2)}${number(10)} parcel ${number(12)}`,
    () => `ISBN 978-3-16-${number(6)}-${number(1)} and EAN 40${number(11)}`,
    () => `listening on 127.0.0.1:${chance.whole(1024, 65535)} and 0.0.0.0, mask 255.255.255.0`,
    () => `npm install react@18.${chance.whole(0, 9)}.${chance.whole(0, 9)} and git@github.com:acme/tool.git`,
    () => `logo@${chance.whole(2, 3)}x.png is ${number(5)} bytes`,
    () => `password: must have at least 12 characters; token: expired`,
    () => `"prompt_tokens":${number(4)},"max_tokens":${number(4)},"next_page_token":"${chance.characters(alphanumeric, 16)}"`,
    () => `Bearer authentication is required, basic functionality stays`,
    () => `installed sk-learn-contrib-pipelines-extra and task-${number(8)}`,
    () => `https://example.com/items/${number(9)}?page=${number(2)}&sort=asc`,
    () =>
      `model gpt-4.1-2025-04-14 answered in ${number(3)}.${number(2)} ms at ${chance.whole(1, 90)}.${number(6)},-${chance.whole(1, 90)}.${number(6)}`,
    () => `id ${number(chance.whole(7, 9))} amount ${number(6)}.${number(2)} ${chance.pick(['EUR', 'USD'])}`,
    () => `-----BEGIN CERTIFICATE-----\\nMII${chance.characters(alphanumeric, 60)}\\n-----END CERTIFICATE-----`,
    () => chance.pick(language.prose),
  ])();
}

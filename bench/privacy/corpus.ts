import { createSeededRandom } from '@holdfast/kit/testing';
import type { SensitiveType } from '@holdfast/kit/privacy';
import { languages, type Language } from './languages.ts';
import {
  apiKeyOf,
  bearerOf,
  cardNumber,
  chanceOf,
  digitsLike,
  hardNegative,
  ibanOf,
  ipv4Of,
  ipv6Of,
  jwtOf,
  passwordOf,
  privateKeyOf,
  ssnOf,
  writtenCard,
  writtenIban,
  type Chance,
} from './values.ts';

export interface Label {
  readonly type: SensitiveType;
  readonly start: number;
  readonly end: number;
}

export interface LabelledText {
  readonly language: string;
  readonly text: string;
  /** What is to be found: everything else is not. */
  readonly labels: readonly Label[];
}

interface Part {
  readonly text: string;
  readonly type?: SensitiveType;
}

/** The same seed gives the same corpus. Two of five lines hold nothing that is to be found, and every other line holds hard negatives around what is. */
export function createCorpus(seed: number, count: number): LabelledText[] {
  const chance = chanceOf(createSeededRandom(seed));
  return Array.from({ length: count }, (_, index) => {
    const language = languages[index % languages.length]!;
    const parts = chance.random.next() < 0.4 ? [{ text: hardNegative(language, chance) }] : line(language, chance);
    return join(
      language,
      index % 2 === 0
        ? [{ text: `${chance.pick(language.prose)} ` }, ...parts]
        : [...parts, { text: `; ${hardNegative(language, chance)}` }],
    );
  });
}

function join(language: Language, parts: readonly Part[]): LabelledText {
  let text = '';
  const labels: Label[] = [];
  for (const part of parts) {
    const start = text.length;
    text += part.text;
    if (part.type) labels.push({ type: part.type, start, end: text.length });
  }
  return { language: language.code, text, labels };
}

function line(language: Language, chance: Chance): Part[] {
  const name = `${chance.pick(language.given)} ${chance.pick(language.family)}`;
  const { before } = language;
  const value = (type: SensitiveType, lead: string, text: string, tail = ''): Part[] => [{ text: lead }, { text, type }, { text: tail }];
  return chance.pick([
    () =>
      value(
        'email',
        `${name}, ${chance.pick(before.email)} `,
        `${chance.pick(language.mail)}@${chance.pick(language.domains)}`,
        chance.pick([', ok', '.', ' ok', ')']),
      ),
    () => value('email', '{"user":"', `${chance.pick(language.mail)}@${chance.pick(language.domains)}`, '","ok":true}'),
    () => value('phone', `${name}: `, digitsLike(chance.pick(language.phones), chance), chance.pick(['', '.', ' ok'])),
    () =>
      value(
        'phone',
        `${name} ${chance.pick(before.phone)} `,
        digitsLike(chance.pick([...language.phones, ...language.namedPhones]), chance),
        chance.pick(['', ', ok']),
      ),
    () => value('ssn', `${name} ${chance.pick(before.ssn)} `, ssnOf(chance), chance.pick(['', '.', ' ok'])),
    () => value('card', `${name} ${chance.pick(before.card)} `, writtenCard(cardNumber(chance), chance), chance.pick(['', '.', ' 12/27'])),
    () => value('card', '{"pan":"', writtenCard(cardNumber(chance), chance), '"}'),
    () =>
      value(
        'iban',
        `${name}, ${chance.pick(before.iban)} `,
        writtenIban(ibanOf(language.iban, chance), chance),
        chance.pick(['', '.', ', BIC unknown']),
      ),
    () =>
      value('ipv4', chance.pick(['client=', 'from ', 'peer [', '"ip":"']), ipv4Of(chance), chance.pick([' ', ':443 ', '] ', '" ', ', '])),
    () => value('ipv6', chance.pick(['client=', 'from ', 'peer [', '"ip":"']), ipv6Of(chance), chance.pick([' ', '] ', '" ', ', '])),
    () =>
      value(
        'api_key',
        chance.pick(['key ', 'using ', '`', 'export KEY=', '/v1/']),
        apiKeyOf(chance),
        chance.pick([' ', '` ', '. ', '/chat ']),
      ),
    () =>
      value(
        'bearer_token',
        chance.pick(['Authorization: Bearer ', "curl -H 'authorization: bearer ", 'sent Bearer ', 'Authorization: Basic ']),
        bearerOf(chance),
        chance.pick(["' ", ' ', '\n']),
      ),
    () => value('jwt', chance.pick(['jwt ', 'cookie value ', '?t=', '"']), jwtOf(chance), chance.pick(['" ', ' ', '& '])),
    () =>
      value(
        'connection_string',
        `${chance.pick(['postgres', 'postgresql', 'mysql', 'mongodb+srv', 'redis', 'amqps', 'https'])}://`,
        `${chance.pick(['app', 'root', ''])}:${passwordOf(chance)}`,
        `@${chance.pick(['db.internal:5432', '10-0-0-1.cluster', 'cache.example'])}/main`,
      ),
    () => value('private_key', chance.pick(['', 'key: ', '"pem":"']), privateKeyOf(chance), chance.pick([' end', '"'])),
    () =>
      chance.pick([
        () =>
          value(
            'secret',
            `${chance.pick(['password', 'DB_PASSWORD', 'client_secret', 'api_key'])}=`,
            passwordOf(chance),
            chance.pick([' ', '&x=1 ', '; ']),
          ),
        () => value('secret', `{"${chance.pick(['password', 'apiKey', 'refresh_token', 'clientSecret'])}":"`, passwordOf(chance), '"}'),
        () => value('secret', `{"body":"{\\"${chance.pick(['password', 'token', 'secret'])}\\":\\"`, passwordOf(chance), '\\"}"}'),
        () => value('secret', `${chance.pick(['password', 'X-Api-Key', 'secret'])}: `, passwordOf(chance), ' '),
      ])(),
  ])();
}

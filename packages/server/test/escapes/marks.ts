/** Personal data that have no room for a mark: numbers. Of reserved or test ranges, each with its check digit right. */
export const knownNumbers = {
  card: '4929748201633546',
  iban: 'GB33BUKB20201555555555',
  ssn: '536-90-4399',
  phone: '+442079460958',
  ipv4: '198.51.100.213',
  ipv6: '2001:db8:77aa:1:9c2f:33ff:fe51:8e01',
} as const;

export interface Escape {
  /** Where the mark was put. */
  readonly from: string;
  /** Where it was found. */
  readonly to: string;
  readonly excerpt: string;
}

/**
 * What is looked for: every mark begins alike, whatever it is made to look like, so that one search finds all of them, also one that was cut
 * short or written in another alphabet. Behind that stands its number, which says where it was put.
 */
export class Marks {
  readonly #origins: string[] = [];
  readonly #beginning: string;
  readonly #pattern: RegExp;

  /** `beginning`: seven letters and digits that are found nowhere else. `numbers`: whether the known numbers are looked for as well. */
  constructor(beginning: string, { numbers = true }: { readonly numbers?: boolean } = {}) {
    this.#beginning = beginning;
    this.#pattern = patternOf(beginning, numbers ? Object.values(knownNumbers) : []);
  }

  /** A word like no other. For what must not be written down at all, such as prompts. */
  word(from: string): string {
    return `${this.#beginning}${String(this.#origins.push(from) - 1).padStart(4, '0')}q`;
  }

  /** Only things that masking takes out wherever they stand: for what is written down because a client chose it, such as a path. */
  secrets(from: string): string {
    return `sk-proj-${this.word(from)}AbCdEfGhIjKlMnOpQrStUv`;
  }

  /** The word, secrets with it, and personal data. */
  everything(from: string): string {
    const word = this.word(from);
    const { card, iban, ssn, phone, ipv4, ipv6 } = knownNumbers;
    return (
      `${word} ${word}@leak.example sk-ant-api03-${word}AbCdEfGhIjKlMnOpQrStUv Bearer ${word}AbCdEfGhIj postgres://u:${word}@db.internal/x ` +
      `password=${word} card ${card} ${iban} SSN ${ssn} tel. ${phone} from ${ipv4} and ${ipv6}`
    );
  }

  /** Everything of it in the text, and where it came from. */
  find(text: string, to: string): Escape[] {
    const found: Escape[] = [];
    for (const { index } of text.matchAll(this.#pattern)) {
      const number = /^\w{7}(\d{4})/.exec(text.slice(index, index + 11))?.[1];
      found.push({
        from: (number !== undefined && this.#origins[Number(number)]) || 'one of them',
        to,
        excerpt: text.slice(Math.max(0, index - 120), index + 120),
      });
    }
    return found;
  }
}

/** As it is, in any case; in hexadecimal, as a column of bytes is printed; and in base64, which has three faces by where the text begins in it. */
function patternOf(beginning: string, numbers: readonly string[]): RegExp {
  const faces = [0, 1, 2].map((before) => {
    const text = Buffer.from(`${'.'.repeat(before)}${beginning}`)
      .toString('base64')
      .replace(/=+$/, '');
    // The first and the last letters are made of neighbours as well.
    return text.slice(before === 0 ? 0 : before + 1, (before + beginning.length) % 3 === 0 ? undefined : -1);
  });
  const texts = [
    beginning,
    Buffer.from(beginning).toString('hex'),
    ...faces,
    ...numbers.flatMap((each) => [each, each.replaceAll(/[- ]/g, '')]),
  ];
  return new RegExp(texts.map((text) => text.replaceAll(/[.+*?^${}()|[\]\\]/g, '\\$&')).join('|'), 'gi');
}

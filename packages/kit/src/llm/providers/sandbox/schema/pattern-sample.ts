/**
 * A short text that a regular expression matches, for the patterns of JSON schemas. Takes the first of alternatives, and
 * repeats `more` times beyond what a quantifier needs (as far as it allows). The pattern itself is never run: it comes
 * from a client, and one that backtracks without end would stop the server. Look-arounds and back references are beyond
 * it; undefined then, and where the text would get longer than `maxLength`.
 */
export function samplePattern(pattern: string, more: number, maxLength: number): string | undefined {
  const reader = new PatternReader(pattern, more, maxLength);
  try {
    return reader.whole();
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

class Unsupported extends Error {}

const maxNesting = 50;
const maxPatternLength = 1_000;
/** Letters tried, in this order, for a class. */
const printable = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', ...' -_.,:;/\\!?@#$%&*+=()[]{}<>|~^`\'"'];

type Matcher = (letter: string) => boolean;

class PatternReader {
  readonly #pattern: string;
  readonly #more: number;
  readonly #maxLength: number;
  #at = 0;
  #nesting = 0;

  constructor(pattern: string, more: number, maxLength: number) {
    if (pattern.length > maxPatternLength) throw new Unsupported();
    this.#pattern = pattern;
    this.#more = more;
    this.#maxLength = maxLength;
  }

  whole(): string {
    const text = this.#alternatives();
    if (this.#at < this.#pattern.length) throw new Unsupported();
    return text;
  }

  #alternatives(): string {
    const first = this.#sequence();
    while (this.#take('|')) this.#sequence();
    return first;
  }

  #sequence(): string {
    let text = '';
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      const atom = this.#atom();
      const times = this.#times();
      if (text.length + atom.length * times > this.#maxLength) throw new Unsupported();
      text += atom.repeat(times);
    }
    return text;
  }

  #atom(): string {
    const letter = this.#next();
    if (letter === '^' || letter === '$') return '';
    if (letter === '.') return 'a';
    if (letter === '(') return this.#group();
    if (letter === '[') return this.#class();
    if (letter === '\\') return this.#escape();
    if ('*+?{'.includes(letter)) throw new Unsupported();
    return letter;
  }

  #group(): string {
    if (++this.#nesting > maxNesting) throw new Unsupported();
    if (this.#take('?') && !this.#take(':')) {
      // (?<name>…) is a group; (?=, (?!, (?<=, (?<! look around.
      const named = /^<[A-Za-z_$][\w$]*>/.exec(this.#pattern.slice(this.#at, this.#at + 100));
      if (!named) throw new Unsupported();
      this.#at += named[0].length;
    }
    const text = this.#alternatives();
    if (!this.#take(')')) throw new Unsupported();
    this.#nesting--;
    return text;
  }

  #escape(): string {
    const letter = this.#next();
    if (letter === 'b' || letter === 'B') return '';
    if (/[1-9k]/.test(letter)) throw new Unsupported();
    return pick(this.#escaped(letter));
  }

  /** What an escape matches, within a class or outside. */
  #escaped(letter: string): Matcher {
    switch (letter) {
      case 'd':
        return isDigit;
      case 'D':
        return not(isDigit);
      case 'w':
        return isWord;
      case 'W':
        return not(isWord);
      case 's':
        return isSpace;
      case 'S':
        return not(isSpace);
      case 'p':
        return this.#property();
      case 'x':
        return this.#code(/^[\da-fA-F]{2}/);
      case 'u':
        return this.#code(/^(?:[\da-fA-F]{4}|\{[\da-fA-F]{1,6}\})/);
    }
    const controls: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', '0': '\0' };
    return just(controls[letter] ?? letter);
  }

  #property(): Matcher {
    const found = /^\{(L|Letter|Lu|Ll|N|Nd|Number)\}/.exec(this.#pattern.slice(this.#at, this.#at + 12));
    if (!found) throw new Unsupported();
    this.#at += found[0].length;
    if (found[1]!.startsWith('N')) return isDigit;
    return found[1] === 'Lu' ? (letter) => letter >= 'A' && letter <= 'Z' : (letter) => letter >= 'a' && letter <= 'z';
  }

  #code(form: RegExp): Matcher {
    const found = form.exec(this.#pattern.slice(this.#at, this.#at + 10));
    const code = found ? Number.parseInt(found[0].replace(/[{}]/g, ''), 16) : Number.NaN;
    if (!(code <= 0x10ffff)) throw new Unsupported();
    this.#at += found![0].length;
    return just(String.fromCodePoint(code));
  }

  #class(): string {
    const negated = this.#take('^');
    const matchers: Matcher[] = [];
    for (;;) {
      const letter = this.#next();
      if (letter === ']') break;
      const first = letter === '\\' ? this.#escaped(this.#next()) : just(letter);
      if (this.#peek() === '-' && this.#pattern[this.#at + 1] !== ']' && this.#pattern[this.#at + 1] !== undefined) {
        this.#at++;
        const end = this.#next();
        const [low, high] = [single(first), single(end === '\\' ? this.#escaped(this.#next()) : just(end))];
        matchers.push(within(low, high));
      } else {
        matchers.push(first);
      }
    }
    const any: Matcher = (tried) => matchers.some((matches) => matches(tried));
    const beyondAscii = matchers.map((matches) => literals.get(matches)).find((text) => text !== undefined);
    return pick(negated ? not(any) : any, negated ? undefined : beyondAscii);
  }

  #times(): number {
    const { min, max } = this.#quantifier();
    return Math.min(max, min + this.#more);
  }

  #quantifier(): { min: number; max: number } {
    let range = { min: 1, max: 1 };
    if (this.#take('*')) range = { min: 0, max: Number.POSITIVE_INFINITY };
    else if (this.#take('+')) range = { min: 1, max: Number.POSITIVE_INFINITY };
    else if (this.#take('?')) range = { min: 0, max: 1 };
    else if (this.#peek() === '{') {
      const found = /^\{(\d{1,6})(,(\d{1,6})?)?\}/.exec(this.#pattern.slice(this.#at, this.#at + 16));
      if (!found) throw new Unsupported();
      this.#at += found[0].length;
      const min = Number(found[1]);
      range = { min, max: found[2] === undefined ? min : found[3] === undefined ? Number.POSITIVE_INFINITY : Number(found[3]) };
    } else return range;
    this.#take('?');
    return range;
  }

  #peek(): string | undefined {
    return this.#pattern[this.#at];
  }

  #take(letter: string): boolean {
    if (this.#peek() !== letter) return false;
    this.#at++;
    return true;
  }

  #next(): string {
    const code = this.#pattern.codePointAt(this.#at);
    if (code === undefined) throw new Unsupported();
    const letter = String.fromCodePoint(code);
    this.#at += letter.length;
    return letter;
  }
}

const isDigit: Matcher = (letter) => letter >= '0' && letter <= '9';
const isWord: Matcher = (letter) => /^[A-Za-z0-9_]$/.test(letter);
const isSpace: Matcher = (letter) => letter === ' ';
const not =
  (matches: Matcher): Matcher =>
  (letter) =>
    !matches(letter);

/** The one letter (or the lowest) that a matcher stands for, where no printable ASCII may do. */
const literals = new WeakMap<Matcher, string>();

function just(only: string): Matcher {
  const matcher: Matcher = (letter) => letter === only;
  literals.set(matcher, only);
  return matcher;
}

function within(low: string, high: string): Matcher {
  const matcher: Matcher = (letter) => letter >= low && letter <= high;
  literals.set(matcher, low);
  return matcher;
}

function single(matcher: Matcher): string {
  const letter = literals.get(matcher);
  if (letter === undefined) throw new Unsupported();
  return letter;
}

function pick(matches: Matcher, otherwise = literals.get(matches)): string {
  const letter = printable.find(matches) ?? otherwise;
  if (letter === undefined) throw new Unsupported();
  return letter;
}

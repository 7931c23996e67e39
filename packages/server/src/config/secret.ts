import { inspect } from 'node:util';

const shown = '(secret, not shown)';

/**
 * A secret that cannot be shown by accident: string conversion, JSON, `util.inspect` and spreading give a placeholder.
 * Only `reveal` gives the text, so that a search for it finds every place where a secret leaves the configuration.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    Object.freeze(this);
  }

  reveal(): string {
    return this.#text;
  }
  toString(): string {
    return shown;
  }
  toJSON(): string {
    return shown;
  }
  [inspect.custom](): string {
    return shown;
  }
}

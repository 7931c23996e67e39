import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Reads a file of JSON lines that others append to: each call gives the whole lines that came since the last. */
export class LinesFile<Line> {
  readonly #path: string;
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
  }

  next(): Line[] {
    const file = openSync(this.#path, 'a+');
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - this.#offset);
      readSync(file, bytes, 0, bytes.length, this.#offset);
      const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
      this.#offset += whole.length;
      return whole
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line);
    } finally {
      closeSync(file);
    }
  }
}

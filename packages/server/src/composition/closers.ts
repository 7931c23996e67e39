/** What was opened, in order, so that it can be closed in the reverse order: also when a later part fails to open. */
export class Closers {
  readonly #closers: { readonly name: string; readonly close: () => unknown }[] = [];

  add(name: string, close: () => unknown): void {
    this.#closers.push({ name, close });
  }

  /** Closes everything, whatever fails on the way; failures are handed to `onFailure`. Repeating it does nothing. */
  async closeAll(onFailure: (name: string, error: unknown) => void): Promise<void> {
    for (let next = this.#closers.pop(); next; next = this.#closers.pop()) {
      try {
        await next.close();
      } catch (error) {
        onFailure(next.name, error);
      }
    }
  }
}

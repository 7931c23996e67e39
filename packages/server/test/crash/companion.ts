import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../../../../test/support/compile-cache.ts';

/** A process of the test's own that is never killed: the clients, or the upstream. */
export class Companion<To extends object, From extends { readonly kind: string }> {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<string, { resolve: (message: From) => void; reject: (error: Error) => void }>();
  #ended: Error | undefined;

  constructor(name: string, args: readonly string[]) {
    this.#name = name;
    this.#child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), args, {
      execArgv: ['--conditions=dev-source'],
      env: { ...process.env, ...compileCache },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: From) => {
      this.#waiting.get(message.kind)?.resolve(message);
      this.#waiting.delete(message.kind);
    });
    this.#child.once('exit', (code, signal) => {
      this.#ended = new Error(`${name} ended with ${code ?? signal}`);
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
    });
  }

  tell(message: To): void {
    this.#child.send(message);
  }

  /** The next message of this kind. One may wait for each kind. */
  next<Kind extends From['kind']>(kind: Kind, limitMs = 60_000): Promise<Extract<From, { kind: Kind }>> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`${this.#name} did not say "${kind}" in ${limitMs} ms`)), limitMs);
      const settle =
        <Value>(then: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(limit);
          then(value);
        };
      this.#waiting.set(kind, { resolve: settle(resolve as (message: From) => void), reject: settle(reject) });
    });
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    // It ends by that.
    this.#child.disconnect();
    await ended;
  }
}

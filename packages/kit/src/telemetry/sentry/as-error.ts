/**
 * What was thrown, as an error that can be read: the library loses its count of what is under way, and so waits at the end for nothing, when it
 * is given a symbol or something that throws when it is looked at.
 */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) {
      // Getters may throw too, and are asked before the library does.
      void `${thrown.name}${thrown.message}${thrown.stack}`;
      return thrown;
    }
    if (typeof thrown !== 'object' || thrown === null) return new NotAnError(String(thrown).slice(0, 1_000));
  } catch {
    // Said below.
  }
  return new NotAnError(typeof thrown);
}

class NotAnError extends Error {
  constructor(shown: string) {
    super(`what was thrown is no error, or cannot be read: ${shown}`);
    this.name = 'NotAnError';
  }
}

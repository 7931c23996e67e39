/**
 * A part of the server that a new configuration can change while it serves. All parts are prepared before one of them is
 * committed, so that a configuration is taken whole or not at all.
 */
export interface Reloadable<Configuration> {
  /**
   * Makes whatever of the new configuration can fail, beside what is in force, which it MUST leave alone. Throws, with a
   * message for the operator, when the configuration cannot be used.
   */
  prepare(next: Configuration): PreparedReload;
}

export interface PreparedReload {
  /** Puts it in force, for the next call or request; what runs goes on with what it began with. MUST NOT throw, nor wait. */
  commit(): void;
  /** Gives back what was made, since another part refused. */
  discard(): void;
}

/** Something stored that was changed or deleted; the same id with another `stamp` was changed again. */
export interface Change {
  readonly id: string;
  readonly stamp: string;
}

export interface Changes {
  /** Where the next question goes on. Opaque. */
  readonly mark: string;
  /** MAY repeat changes of the answer before; MUST NOT leave out any that was committed since its mark. */
  readonly changes: readonly Change[];
  /** There were more than the answer holds: everything may have changed. */
  readonly truncated: boolean;
}

export interface ChangeSource {
  /** With no mark: only where to go on from. */
  changesSince(mark: string | undefined): Promise<Changes>;
}

/** Says at once what changed; may lose messages while it is not connected, and even before that is noticed. */
export interface ChangeSignal {
  subscribe(listener: (id: string) => void): () => void;
  onStateChange(listener: (connected: boolean) => void): () => void;
}

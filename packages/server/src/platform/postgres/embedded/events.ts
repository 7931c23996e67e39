import { defineChannel } from '@holdfast/kit/events';

export interface EmbeddedPostgresStarted {
  readonly pid: number;
  /** It ran already: the server that started it was killed. */
  readonly adopted: boolean;
  /** The data folder is new. */
  readonly created: boolean;
  readonly version: string;
  readonly data: string;
  readonly userName: string | undefined;
  readonly durationMs: number;
}

export interface EmbeddedPostgresEnded {
  readonly pid: number;
  /** False when it ended although nobody stopped it. */
  readonly requested: boolean;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines of its log, when nobody stopped it. */
  readonly log: readonly string[];
}

export const embeddedPostgresStarted = defineChannel<EmbeddedPostgresStarted>('holdfast:postgres:embedded-started');
export const embeddedPostgresEnded = defineChannel<EmbeddedPostgresEnded>('holdfast:postgres:embedded-ended');

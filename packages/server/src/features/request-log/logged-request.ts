import type { HttpRequestFinished } from '@holdfast/kit/events';

/** What was said in a request and its answer, cut and not masked yet. */
export interface RequestContent {
  readonly request: string | undefined;
  readonly response: string | undefined;
}

/** A request that waits to be written. */
export interface LoggedRequest {
  /** Given when it is written for the first time. */
  id?: string;
  /** When the answer had been sent, in Unix milliseconds. */
  readonly atMs: number;
  readonly event: HttpRequestFinished;
  readonly content: RequestContent | undefined;
}

export interface RawRequest {
  readonly method: string;
  /** Begins with `/`. */
  readonly path: string;
  readonly key?: string | undefined;
  readonly body?: unknown;
}

export interface RawAnswer {
  readonly status: number;
  /** Without parameters: `application/json`. */
  readonly contentType: string;
  readonly retryAfterSeconds: number | undefined;
  readonly text: string;
}

/** Requests as a client makes them, answers as they come: for who judges them. Rejects with `server_unreachable`. */
export interface RawClient {
  send(request: RawRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

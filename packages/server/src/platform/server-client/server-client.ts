/** A server that is running, asked by a command beside it. Rejects with the error that the server answers, or `server_unreachable`. */
export interface ServerClient {
  /** The body of a 200 or 201. `path` begins with `/`. */
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
  delete(path: string): Promise<unknown>;
}

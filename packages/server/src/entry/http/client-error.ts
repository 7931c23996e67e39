import { HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { httpErrorRaised } from '@holdfast/kit/events';
import type { Clock } from '@holdfast/kit/time';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorShapeOf, toErrorResponse } from './error-shape.ts';
import { securityHeaders } from './security-headers.ts';

const codes: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** How long what the client still sends is read and thrown away, so that a reset does not overtake the answer. */
const lingerMs = 1_000;

export interface ClientErrorOptions {
  readonly clock: Clock;
  readonly createId: () => string;
}

/**
 * Answers what Node's parser refuses: no request object exists, so the answer is written by hand. The connection is
 * closed each time, because where the next request would begin is not known.
 */
export function createClientErrorHandler({ clock, createId }: ClientErrorOptions) {
  const answered = new WeakSet<Socket>();
  return (thrown: NodeJS.ErrnoException, socket: Socket): void => {
    // The rest of a refused request keeps reaching the parser, which keeps complaining.
    if (answered.has(socket)) return;
    answered.add(socket);
    const current = currentExchange(socket);
    if (thrown.code === 'ECONNRESET' || !socket.writable || current?.response.headersSent) {
      // Nobody is there to read, or an answer is under way and a second one inside it would corrupt it.
      socket.destroy();
      return;
    }
    const error = new HoldfastError(codes[thrown.code ?? ''] ?? 'malformed_http', { detail: thrown.code ?? 'unknown', cause: thrown });
    const requestId = createId();
    httpErrorRaised.publish({
      requestId,
      method: current?.request.method ?? '-',
      route: undefined,
      code: error.code,
      category: error.category,
      logLevel: error.traits.logLevel,
      error,
    });
    socket.end(toResponse(error, requestId, current?.request.url ?? '', clock));
    socket.on('error', () => socket.destroy());
    const timer = clock.setTimeout(() => socket.destroy(), lingerMs);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => timer.cancel());
    socket.resume();
  };
}

function toResponse(error: HoldfastError, requestId: string, url: string, clock: Clock): string {
  const { status, headers, body } = toErrorResponse(error, errorShapeOf(url), { requestId, nowMs: clock.now() });
  const text = JSON.stringify(body);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`];
  const all = {
    ...securityHeaders,
    ...headers,
    'x-request-id': requestId,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    date: new Date(clock.now()).toUTCString(),
    connection: 'close',
  };
  for (const [name, value] of Object.entries(all)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n${text}`;
}

/**
 * The exchange that the socket is in the middle of: a request whose body is still arriving. Node keeps it in a member that
 * is not documented, and looks at it itself for the same purpose; without it the answer would still be right but for its shape.
 */
function currentExchange(socket: Socket): { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined {
  const response = (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage;
  return response ? { request: response.req, response } : undefined;
}

import { httpErrorRaised, httpRequestFinished, type HttpErrorRaised, type HttpRequestFinished } from '@holdfast/kit/events';

/** What the log lines of requests need of a logger. */
export interface RequestLog {
  /** Whether access lines are written at all. */
  readonly accessEnabled: boolean;
  /** Writes one access line. */
  access(fields: HttpRequestFinished): void;
  write(level: 'info' | 'warn' | 'error', fields: Record<string, unknown>, message: string): void;
}

/** One access line for each request, and one more for each error that an operator should know of. Returns the function that ends it. */
export function logRequests(log: RequestLog): () => void {
  const stopErrors = httpErrorRaised.subscribe((event) => writeError(log, event));
  // Asked for each line: the level may change at any time.
  const stopAccess = httpRequestFinished.subscribeLate((event) => {
    if (log.accessEnabled) log.access(event);
  });
  return () => {
    stopErrors();
    stopAccess();
  };
}

function writeError(log: RequestLog, event: HttpErrorRaised): void {
  // A client's mistake is told by its access line alone; at `info` its detail would double the log of every scan.
  if (event.logLevel === 'info') return;
  const { requestId, method, route, code, category, error, traceId, organizationId, keyId, userId } = event;
  const ids = {
    request_id: requestId,
    ...(traceId !== undefined && { trace_id: traceId }),
    ...(organizationId !== undefined && { organization_id: organizationId }),
    ...(keyId !== undefined && { key_id: keyId }),
    ...(userId !== undefined && { user_id: userId }),
  };
  log.write(event.logLevel, { ...ids, method, route, code, category, err: error }, error.message);
}

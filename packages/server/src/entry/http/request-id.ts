import type { IncomingMessage } from 'node:http';
import { requestIdPattern } from '@holdfast/contracts';

/** The client's `x-request-id` when it is well formed, so that its own traces find ours; else a new one. Never unique, hence never a key. */
export function createRequestIdReader(createId: () => string): (raw: Pick<IncomingMessage, 'headers'>) => string {
  return (raw) => {
    const own = raw.headers['x-request-id'];
    return typeof own === 'string' && requestIdPattern.test(own) ? own : createId();
  };
}

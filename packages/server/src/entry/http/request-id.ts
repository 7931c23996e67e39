import type { IncomingMessage } from 'node:http';
import { requestIdPattern } from '@holdfast/contracts';
import { findSensitive } from '@holdfast/kit/privacy';

/** Of our own kind, and of most tracers': nothing to look for. */
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An id is written into every line, row and trace as it is: one that looks like a key or a card's number is not taken. */
function isUnsuspicious(id: string): boolean {
  return uuid.test(id) || findSensitive(id).length === 0;
}

/** The client's `x-request-id` when it is well formed and no secret, so that its own traces find ours; else a new one. Never unique, hence never a key. */
export function createRequestIdReader(createId: () => string): (raw: Pick<IncomingMessage, 'headers'>) => string {
  return (raw) => {
    const own = raw.headers['x-request-id'];
    return typeof own === 'string' && requestIdPattern.test(own) && isUnsuspicious(own) ? own : createId();
  };
}

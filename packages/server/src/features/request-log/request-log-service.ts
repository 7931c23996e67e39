import type { RequestLogEntry, RequestLogDetail } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { RequestFilter, RequestLogStore, StoredRequest } from './request-log-store.ts';

export interface RequestLogService {
  /** Newest first. Throws `invalid_request` for a cursor that is none of ours. */
  list(
    filter: RequestFilter,
    page: { readonly limit: number; readonly cursor: string | undefined },
  ): Promise<{ readonly data: RequestLogEntry[]; readonly next_cursor: string | null }>;
  /** With what was said, where that is kept. Throws `resource_not_found`. */
  find(id: string): Promise<RequestLogDetail>;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createRequestLogService(store: Pick<RequestLogStore, 'read' | 'find'>): RequestLogService {
  return {
    async list(filter, { limit, cursor }) {
      for (const [field, value] of Object.entries(filter)) {
        // PostgreSQL takes no NUL in a parameter: it would be an error of the server.
        if (typeof value === 'string' && value.includes('\0'))
          throw new HoldfastError('invalid_request', { details: [{ field, message: 'must not contain NUL' }] });
      }
      const { rows, nextBeforeId } = await store.read(filter, { limit, beforeId: readCursor(cursor) });
      return {
        data: rows.map(toEntry),
        next_cursor: nextBeforeId === undefined ? null : Buffer.from(nextBeforeId, 'latin1').toString('base64url'),
      };
    },
    async find(id) {
      const row = await store.find(id);
      if (row === undefined) throw new HoldfastError('resource_not_found');
      return { ...toEntry(row), request_content: row.request_content, response_content: row.response_content };
    },
  };
}

function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!uuid.test(id))
    throw new HoldfastError('invalid_request', { details: [{ field: 'cursor', message: 'is not a cursor of this list' }] });
  return id;
}

function toEntry({ request_content: _request, response_content: _response, ...row }: StoredRequest): RequestLogEntry {
  return { ...row, at: row.at.toISOString() };
}

import { formatUsd, type UsageRow } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Database } from '../../platform/postgres/index.ts';
import { readCalls, type CallRow, type CallsPage, type UsageFilter } from './usage-store.ts';

export interface UsagePageRequest {
  readonly limit: number;
  /** The `next_cursor` of the page before. */
  readonly cursor: string | undefined;
}

export interface UsageResult {
  readonly data: readonly UsageRow[];
  readonly next_cursor: string | null;
}

export interface UsageService {
  /** Calls of one organization. Throws `invalid_request` for a cursor that is none of ours and for a filter with a NUL. */
  ofOrganization(organizationId: string, filter: UsageFilter, page: UsagePageRequest): Promise<UsageResult>;
  /** Calls of the whole instance: for its operator at the command line. */
  ofInstance(filter: UsageFilter, page: UsagePageRequest): Promise<UsageResult>;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createUsageService(database: Pick<Database, 'withOrganization' | 'asOperator'>): UsageService {
  return {
    async ofOrganization(organizationId, filter, page) {
      refuseNul(filter);
      const beforeId = readCursor(page.cursor);
      const read = await database.withOrganization(organizationId, (transaction) =>
        readCalls(transaction, { ...filter, organizationId }, { limit: page.limit, beforeId }),
      );
      return toPage(read);
    },
    async ofInstance(filter, page) {
      refuseNul(filter);
      const beforeId = readCursor(page.cursor);
      return toPage(await database.asOperator((transaction) => readCalls(transaction, filter, { limit: page.limit, beforeId })));
    },
  };
}

/** PostgreSQL keeps no NUL in a text, and takes none in a parameter either: such a filter would be an error of the server. */
function refuseNul(filter: UsageFilter): void {
  for (const [field, value] of Object.entries(filter)) {
    if (typeof value === 'string' && value.includes('\0')) {
      throw new HoldfastError('invalid_request', { details: [{ field, message: 'must not contain NUL' }] });
    }
  }
}

function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!uuid.test(id))
    throw new HoldfastError('invalid_request', { details: [{ field: 'cursor', message: 'is not a cursor of this list' }] });
  return id;
}

function toPage({ rows, nextBeforeId }: CallsPage): UsageResult {
  return {
    data: rows.map(toUsageRow),
    next_cursor: nextBeforeId === undefined ? null : Buffer.from(nextBeforeId, 'latin1').toString('base64url'),
  };
}

function toUsageRow(row: CallRow): UsageRow {
  const { organization_id: _organization, instance_id: _instance, committed_in: _committedIn, ...shown } = row;
  return {
    ...shown,
    request_id: row.request_id ?? '',
    operation: row.operation as UsageRow['operation'],
    dialect: row.dialect as UsageRow['dialect'],
    streamed: row.streamed ?? false,
    model_asked: row.model_asked ?? '',
    cost_usd: row.cost_nano_usd === null ? null : formatUsd(row.cost_nano_usd),
    layers: row.layers as UsageRow['layers'],
    attempts: row.attempts as UsageRow['attempts'],
    usage_details: row.usage_details as UsageRow['usage_details'],
    started_at: row.started_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}

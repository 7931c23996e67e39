import { formatUsd, type CostGroupName, type CostPage, type CostQuery, type CostRow } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Database } from '../../platform/postgres/index.ts';
import { readCosts, type CostFilter, type CostSumRow } from './cost-store.ts';
import type { costMeasures } from './cost-sums.ts';

export interface CostService {
  /** Sums of one organization. Throws `invalid_request` for a cursor that is none of ours. */
  ofOrganization(organizationId: string, query: CostQuery): Promise<CostPage>;
  /** Sums of the whole instance, or of one of its organizations, for its operator. */
  ofInstance(query: CostQuery, organizationId?: string): Promise<CostPage>;
}

export function createCostService(database: Pick<Database, 'withOrganization' | 'asOperator'>): CostService {
  async function page(query: CostQuery, organizationId: string | undefined, within: <T>(work: Work<T>) => Promise<T>): Promise<CostPage> {
    const { group_by: groupBy, limit } = query;
    const after = readCursor(query.cursor, groupBy);
    const rows = await within((transaction) =>
      readCosts(transaction, filterOf(query, organizationId), { groupBy, limit: limit + 1, after }),
    );
    const data = rows.slice(0, limit);
    return {
      data: data.map((row) => toCostRow(groupBy, row)),
      next_cursor: rows.length > limit ? writeCursor(groupBy, data.at(-1)!.group) : null,
    };
  }
  return {
    ofOrganization: (organizationId, query) => page(query, organizationId, (work) => database.withOrganization(organizationId, work)),
    ofInstance: (query, organizationId) => page(query, organizationId, (work) => database.asOperator(work)),
  };
}

type Work<T> = Parameters<Database['asOperator']>[0] extends (transaction: infer Transaction) => unknown
  ? (transaction: Transaction) => Promise<T>
  : never;

function filterOf(query: CostQuery, organizationId: string | undefined): CostFilter {
  return {
    organizationId,
    from: query.from,
    to: query.to,
    keyId: query.key_id,
    userId: query.user_id,
    model: query.model,
    provider: query.provider,
    feature: query.feature,
    endUser: query.end_user,
  };
}

const member: Readonly<Record<CostGroupName, keyof CostRow>> = {
  day: 'day',
  organization: 'organization_id',
  model: 'model',
  served_model: 'served_model',
  provider: 'provider',
  user: 'user_id',
  key: 'key_id',
  end_user: 'end_user',
  feature: 'feature',
};

function toCostRow(groupBy: readonly CostGroupName[], { group, sums }: CostSumRow): CostRow {
  const count = (name: (typeof costMeasures)[number]) => Number(sums[name]);
  return {
    ...Object.fromEntries(groupBy.map((name, index) => [member[name], group[index] ?? null])),
    calls: count('calls'),
    failed_calls: count('failed_calls'),
    interrupted_calls: count('interrupted_calls'),
    unpriced_calls: count('unpriced_calls'),
    prompt_tokens: count('prompt_tokens'),
    completion_tokens: count('completion_tokens'),
    cached_tokens: count('cached_tokens'),
    cache_write_tokens: count('cache_write_tokens'),
    reasoning_tokens: count('reasoning_tokens'),
    cost_nano_usd: safeNanoUsd(BigInt(sums.cost_nano_usd)),
    cost_usd: formatUsd(BigInt(sums.cost_nano_usd)),
    reserved_nano_usd: safeNanoUsd(BigInt(sums.reserved_nano_usd)),
  };
}

/** Null for what JSON cannot say exactly. */
export function safeNanoUsd(nanoUsd: bigint): number | null {
  return Number.isSafeInteger(Number(nanoUsd)) ? Number(nanoUsd) : null;
}

function writeCursor(groupBy: readonly CostGroupName[], group: readonly (string | null)[]): string {
  return Buffer.from(JSON.stringify([groupBy, group])).toString('base64url');
}

function readCursor(cursor: string | undefined, groupBy: readonly CostGroupName[]): readonly (string | null)[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [names, group] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [unknown, unknown];
    const sameGroup = Array.isArray(names) && names.join() === groupBy.join();
    const isText = (value: unknown) => value === null || (typeof value === 'string' && value.length <= 256 && !value.includes('\0'));
    if (sameGroup && Array.isArray(group) && group.length === groupBy.length && group.every(isText)) return group as (string | null)[];
  } catch {
    // Not one of ours.
  }
  throw new HoldfastError('invalid_request', { details: [{ field: 'cursor', message: 'is not a cursor of this list' }] });
}

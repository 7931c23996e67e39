import type { ChangeBudgetRequest, CreateBudgetRequest } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import type { Transaction } from 'kysely';
import { Personal, type AuditTrail, type Initiator } from '../../../platform/audit/index.ts';
import type { Database, Schema } from '../../../platform/postgres/index.ts';
import { deleteBudget, insertBudget, readKeyLine, readStandings, updateBudget, type BudgetStanding } from './budget-administration.ts';
import type { Budget } from './budget.ts';
import { readUsd } from './read-usd.ts';

export interface BudgetPageRequest {
  readonly limit: number;
  /** Budgets made before this one; undefined begins with the newest. */
  readonly beforeId: string | undefined;
}

/** Whose budgets: of one organization, as it sees them, or of the whole instance, for its operator. */
export type BudgetView = { readonly organizationId: string } | 'instance';

/** Budgets in the hands of people. Every instance goes by a change within a second. */
export interface BudgetService {
  /** Newest first, with how they stand now. */
  list(view: BudgetView, page: BudgetPageRequest): Promise<{ readonly standings: readonly BudgetStanding[]; readonly more: boolean }>;
  /** Throws `resource_not_found`. */
  get(view: BudgetView, id: string): Promise<BudgetStanding>;
  /** Counts what its day or month has spent so far, but for calls under way. Throws `invalid_request`. */
  create(request: CreateBudgetRequest & { readonly organization_id: string }, by: Initiator): Promise<BudgetStanding>;
  /** Calls under way keep what they hold. Throws `resource_not_found`, `invalid_request`. */
  change(id: string, request: ChangeBudgetRequest, by: Initiator): Promise<BudgetStanding>;
  /** Throws `resource_not_found`. */
  remove(id: string, by: Initiator): Promise<void>;
}

export interface BudgetServiceOptions {
  readonly database: Pick<Database, 'withOrganization' | 'asOperator'>;
  readonly audit: Pick<AuditTrail, 'write'>;
  readonly createId: () => string;
  readonly clock: Clock;
}

export function createBudgetService({ database, audit, createId, clock }: BudgetServiceOptions): BudgetService {
  const within = <Result>(view: BudgetView, work: (transaction: Transaction<Schema>) => Promise<Result>): Promise<Result> =>
    view === 'instance' ? database.asOperator(work) : database.withOrganization(view.organizationId, work);
  const standing = async (transaction: Transaction<Schema>, id: string): Promise<BudgetStanding> => {
    const [found] = await readStandings(transaction, { id, limit: 1 }, clock.now());
    if (found === undefined) throw new HoldfastError('resource_not_found');
    return found;
  };

  return {
    async list(view, { limit, beforeId }) {
      const organizationId = view === 'instance' ? undefined : view.organizationId;
      const standings = await within(view, (transaction) =>
        readStandings(transaction, { organizationId, beforeId, limit: limit + 1 }, clock.now()),
      );
      return { standings: standings.slice(0, limit), more: standings.length > limit };
    },
    get: (view, id) => within(view, (transaction) => standing(transaction, id)),
    create: (request, by) =>
      database.asOperator(async (transaction) => {
        const now = clock.now();
        const budget: Budget = {
          id: createId(),
          organizationId: request.organization_id,
          name: request.name,
          subject: request.subject,
          subjectIds: await subjectIdsOf(transaction, request),
          period: request.period,
          limitNanoUsd: limitOf(request) ?? fault('limit_usd', 'is missing, and `limit_nano_usd` too'),
          enforcement: request.enforcement,
          createdAt: now,
        };
        await insertBudget(transaction, budget, now);
        await audit.write(transaction, {
          type: 'budget.created',
          organizationId: budget.organizationId,
          by,
          resource: { type: 'budget', id: budget.id },
          details: termsOf(budget),
        });
        return standing(transaction, budget.id);
      }),
    change: (id, request, by) =>
      database.asOperator(async (transaction) => {
        const { budget: before } = await standing(transaction, id);
        const limitNanoUsd = limitOf(request);
        const { name, enforcement } = request;
        if (limitNanoUsd !== undefined || name !== undefined || enforcement !== undefined) {
          await updateBudget(transaction, id, { name, limitNanoUsd, enforcement });
          await audit.write(transaction, {
            type: 'budget.changed',
            organizationId: before.organizationId,
            by,
            resource: { type: 'budget', id },
            details: {
              name: name === undefined ? undefined : new Personal('name', name),
              enforcement,
              limit_nano_usd: limitNanoUsd,
              limit_nano_usd_before: limitNanoUsd === undefined ? undefined : before.limitNanoUsd,
            },
          });
        }
        return standing(transaction, id);
      }),
    remove: (id, by) =>
      database.asOperator(async (transaction) => {
        const budget = await deleteBudget(transaction, id);
        if (budget === undefined) throw new HoldfastError('resource_not_found');
        await audit.write(transaction, {
          type: 'budget.deleted',
          organizationId: budget.organizationId,
          by,
          resource: { type: 'budget', id },
          details: termsOf(budget),
        });
      }),
  };
}

function termsOf({ name, subject, subjectIds, period, limitNanoUsd, enforcement }: Budget) {
  return {
    ...{ name: new Personal('name', name), subject, subject_id: subjectIds[0]!, period },
    ...{ limit_nano_usd: limitNanoUsd, enforcement },
  };
}

async function subjectIdsOf(
  transaction: Transaction<Schema>,
  { organization_id, subject, subject_id }: CreateBudgetRequest & { readonly organization_id: string },
): Promise<readonly string[]> {
  const organization = await transaction
    .selectFrom('identity.organization')
    .select('id')
    .where('id', '=', organization_id)
    .executeTakeFirst();
  if (organization === undefined) return fault('organization_id', 'is no organization of this instance');
  if (subject === 'organization') {
    if (subject_id !== undefined && subject_id !== organization_id) return fault('subject_id', 'is not the organization of the budget');
    return [organization_id];
  }
  if (subject_id === undefined) return fault('subject_id', `names the ${subject}`);
  // People are known by the keys that are theirs alone.
  if (subject === 'user') return [subject_id];
  return (await readKeyLine(transaction, organization_id, subject_id)) ?? fault('subject_id', 'is no key of the organization');
}

function limitOf({ limit_usd, limit_nano_usd }: Pick<ChangeBudgetRequest, 'limit_usd' | 'limit_nano_usd'>): number | undefined {
  if (limit_usd !== undefined && limit_nano_usd !== undefined)
    return fault('limit_nano_usd', 'says the limit again: leave one of the two out');
  return limit_usd === undefined ? limit_nano_usd : readUsd(limit_usd);
}

function fault(field: string, message: string): never {
  throw new HoldfastError('invalid_request', { details: [{ field, message }] });
}

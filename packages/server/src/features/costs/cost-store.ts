import { sql, type RawBuilder, type Transaction } from 'kysely';
import type { CostGroupName } from '@holdfast/contracts';
import type { Schema } from '../../platform/postgres/index.ts';
import { committedBetween, costMeasures } from './cost-sums.ts';

type Measure = (typeof costMeasures)[number];

export interface CostFilter {
  /** First day, and the day after the last, as `YYYY-MM-DD` in UTC. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly organizationId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly userId?: string | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  readonly feature?: string | undefined;
  readonly endUser?: string | undefined;
}

export interface CostPageRequest {
  readonly groupBy: readonly CostGroupName[];
  readonly limit: number;
  /** The values of the group that the last page ended with, in the order of `groupBy`. */
  readonly after: readonly (string | null)[] | undefined;
}

/** The values of the group, then the sums; all as text, since a sum may be larger than a number holds. */
export interface CostSumRow {
  readonly group: readonly (string | null)[];
  readonly sums: Readonly<Record<Measure, string>>;
}

const columnOf: Readonly<Record<CostGroupName, RawBuilder<unknown>>> = {
  day: sql`day::text`,
  model: sql`model`,
  served_model: sql`served_model`,
  provider: sql`provider`,
  organization: sql`organization_id::text`,
  user: sql`user_id::text`,
  key: sql`key_id::text`,
  end_user: sql`end_user`,
  feature: sql`feature`,
};

/**
 * One page of sums, in the order of the group, nulls last. Read from the sums by day and from what was committed since they were made, in one
 * statement and so of one moment: nothing is missing and nothing counted twice. In a cluster that the sums were not made in (a restored
 * dump), all is read from the ledger.
 */
export async function readCosts(
  transaction: Transaction<Schema>,
  filter: CostFilter,
  page: CostPageRequest,
): Promise<readonly CostSumRow[]> {
  const where = conditions(filter);
  const groups = page.groupBy.map((name, index) => sql`${columnOf[name]} as ${sql.ref(`g${index}`)}`);
  const names = page.groupBy.map((_, index) => sql.ref(`g${index}`));
  const sums = costMeasures.map((name) => sql`sum(${sql.ref(name)}) as ${sql.ref(name)}`);
  const measures = sql.join(costMeasures.map((name) => sql.ref(name)));
  const dimensions = sql`organization_id, day, model, served_model, provider, key_id, user_id, end_user, feature`;
  // Whoever has to go through the ledger goes by the commit; both bounds are known before anything is read.
  const known = sql`(select cluster = (select system_identifier from pg_control_system()) from holdfast.cost_state)`;
  const summedTo = sql`(select case when ${known} then summed_to else 0 end from holdfast.cost_state)`;
  const selected = sql.join([...groups, ...costMeasures.map((name) => sql.ref(name))]);
  const { rows } = await sql<Record<string, string | null>>`
    with summed as not materialized (
      select ${selected} from (
        select ${dimensions}, ${measures} from holdfast.cost_days where ${known} and ${where}
        union all
        select ${dimensions}, ${measures} from (${committedBetween(summedTo)}) as later where ${where}
      ) as all_rows
    ), grouped as (select ${sql.join([...names, ...sums])} from summed group by ${sql.join(names)})
    select ${sql.join([...names, ...costMeasures.map((name) => sql`${sql.ref(name)}::text as ${sql.ref(name)}`)])} from grouped
    where ${afterLast(names, page.after)}
    order by ${sql.join(names.map((name) => sql`${name} collate "C" nulls last`))}
    limit ${page.limit}`.execute(transaction);
  return rows.map((row) => ({
    group: page.groupBy.map((_, index) => row[`g${index}`] ?? null),
    sums: Object.fromEntries(costMeasures.map((name) => [name, row[name]!])) as CostSumRow['sums'],
  }));
}

function conditions(filter: CostFilter): RawBuilder<unknown> {
  const all: RawBuilder<unknown>[] = [sql`true`];
  const equal = (column: string, value: string | undefined): void => {
    if (value !== undefined) all.push(sql`${sql.ref(column)} = ${value}`);
  };
  if (filter.from !== undefined) all.push(sql`day >= ${filter.from}::date`);
  if (filter.to !== undefined) all.push(sql`day < ${filter.to}::date`);
  equal('organization_id', filter.organizationId);
  equal('key_id', filter.keyId);
  equal('user_id', filter.userId);
  equal('model', filter.model);
  equal('provider', filter.provider);
  equal('feature', filter.feature);
  equal('end_user', filter.endUser);
  return sql.join(all, sql` and `);
}

/** Rows that come after `after` in the order of the page: nulls last, and bytes rather than a language, so that pages agree everywhere. */
function afterLast(names: readonly RawBuilder<unknown>[], after: CostPageRequest['after']): RawBuilder<unknown> {
  if (after === undefined) return sql`true`;
  const alternatives = names.map((name, index) => {
    const before = names.slice(0, index).map((each, at) => sql`${each} is not distinct from ${after[at] ?? null}::text`);
    const value = after[index] ?? null;
    const later = value === null ? sql`false` : sql`(${name} collate "C" > ${value}::text or ${name} is null)`;
    return sql`(${sql.join([...before, later], sql` and `)})`;
  });
  return sql`(${sql.join(alternatives, sql` or `)})`;
}

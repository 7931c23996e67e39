import type { Transaction } from 'kysely';
import type { Schema } from '../../platform/postgres/index.ts';

/** What the first start left behind in the settings of the database. */
export interface FirstStart {
  readonly organization_id: string;
  readonly accepts_given_secrets: boolean;
}

const settingKey = 'first_start';

/** undefined when no server was ever started on this database. */
export async function readFirstStart(transaction: Transaction<Schema>): Promise<FirstStart | undefined> {
  const row = await transaction.selectFrom('holdfast.settings').select('value').where('key', '=', settingKey).executeTakeFirst();
  return row?.value as FirstStart | undefined;
}

/** Fails when there is one already. */
export async function writeFirstStart(transaction: Transaction<Schema>, value: FirstStart): Promise<void> {
  await transaction
    .insertInto('holdfast.settings')
    .values({ key: settingKey, value: JSON.stringify(value) })
    .execute();
}

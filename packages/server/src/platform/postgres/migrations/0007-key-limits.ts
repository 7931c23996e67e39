import { sql, type Kysely } from 'kysely';

/** What a key may use of models in a minute, and at once. Null does not limit it. */
export async function keyLimits(database: Kysely<unknown>): Promise<void> {
  await sql`
    alter table holdfast.api_keys
      add column requests_per_minute int check (requests_per_minute > 0),
      add column tokens_per_minute int check (tokens_per_minute > 0),
      add column concurrent int check (concurrent > 0);

    -- Beside the trigger of the other columns: whoever holds the key in memory holds its limits with it.
    create trigger api_key_limits_changed
      after update of requests_per_minute, tokens_per_minute, concurrent
      on holdfast.api_keys for each row execute function holdfast.announce_key();

    grant update (requests_per_minute, tokens_per_minute, concurrent) on holdfast.api_keys to holdfast_app, holdfast_operator;
    grant select (requests_per_minute, tokens_per_minute, concurrent) on holdfast.api_keys to holdfast_authenticator;
  `.execute(database);
}

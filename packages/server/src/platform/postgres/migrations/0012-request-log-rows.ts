import { sql, type Kysely } from 'kysely';

/** What the rows of the request log travel as, many at a time, as those of the ledger do. A later version that writes other columns gets a type of its own. */
export async function requestLogRows(database: Kysely<unknown>): Promise<void> {
  await sql`
    create type holdfast.request_log_row_1 as (
      id uuid, at timestamptz, instance text, request_id text, trace_id text, call_id uuid, organization_id uuid, key_id uuid, user_id uuid,
      method text, route text, status int, error_code text, latency_ms double precision, request_bytes bigint, response_bytes bigint,
      request_content text, response_content text
    );
  `.execute(database);
}

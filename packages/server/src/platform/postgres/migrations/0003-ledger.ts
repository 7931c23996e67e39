import { sql, type Kysely } from 'kysely';

/** Calls, their intents, the instances that make them, and what the instance remembers of itself. */
export async function ledger(database: Kysely<unknown>): Promise<void> {
  await sql`
    create table holdfast.instances (
      id uuid primary key,
      started_at timestamptz(3) not null,
      seen_at timestamptz(3) not null
    );

    create table holdfast.settings (
      key text primary key,
      value jsonb not null
    );

    -- No foreign keys: the ledger outlives organizations, keys and people, and an insert pays for none of them.
    create table holdfast.calls (
      id uuid primary key,
      organization_id uuid not null,
      instance_id uuid,
      request_id text,
      key_id uuid,
      user_id uuid,
      end_user text,
      feature text,
      operation text,
      dialect text,
      streamed boolean,
      model_asked text,
      model_served text,
      provider text,
      prompt_tokens bigint,
      completion_tokens bigint,
      cached_tokens bigint,
      cache_write_tokens bigint,
      reasoning_tokens bigint,
      usage_source text not null check (usage_source in ('provider', 'estimated', 'none')),
      cost_nano_usd bigint,
      outcome text not null check (outcome in ('completed', 'failed', 'refused', 'aborted', 'interrupted')),
      error_code text,
      finish_reason text,
      status int,
      latency_ms double precision,
      first_token_ms double precision,
      overhead_ms double precision,
      layers json,
      attempts json,
      started_at timestamptz(3) not null,
      finished_at timestamptz(3)
    );
    comment on column holdfast.calls.cost_nano_usd is 'null: the price is unknown; never 0 for that';
    -- Pages of GET /api/usage, by filter; ids are UUIDv7, so their order is that of time. Each index is paid by every call, with
    -- a tenth of what its insert costs: there is none for columns of few values (model, provider, operation), and those of
    -- columns that are mostly empty, and of outcome, are kept for the rows that are worth finding that way.
    create index calls_page on holdfast.calls (organization_id, id desc);
    create index calls_page_by_key on holdfast.calls (organization_id, key_id, id desc);
    create index calls_page_by_user on holdfast.calls (organization_id, user_id, id desc) where user_id is not null;
    create index calls_page_by_request on holdfast.calls (organization_id, request_id, id desc);
    create index calls_page_by_end_user on holdfast.calls (organization_id, end_user, id desc) where end_user is not null;
    create index calls_page_by_feature on holdfast.calls (organization_id, feature, id desc) where feature is not null;
    create index calls_page_by_outcome on holdfast.calls (organization_id, outcome, id desc) where outcome <> 'completed';

    create table holdfast.call_intents (
      id uuid primary key,
      organization_id uuid not null,
      instance_id uuid,
      request_id text,
      key_id uuid,
      user_id uuid,
      end_user text,
      feature text,
      operation text,
      dialect text,
      streamed boolean,
      model_asked text,
      provider text,
      started_at timestamptz(3) not null
    );

    -- What the server hands to its insert statements, many at a time. A later version that writes other columns gets types of
    -- its own, so that two versions can run side by side.
    create type holdfast.call_intent_1 as (
      id uuid, organization_id uuid, instance_id uuid, request_id text, key_id uuid, user_id uuid, end_user text, feature text,
      operation text, dialect text, streamed boolean, model_asked text, provider text, started_at timestamptz
    );
    create type holdfast.call_row_1 as (
      id uuid, organization_id uuid, instance_id uuid, request_id text, key_id uuid, user_id uuid, end_user text, feature text,
      operation text, dialect text, streamed boolean, model_asked text, provider text, started_at timestamptz, model_served text,
      prompt_tokens bigint, completion_tokens bigint, cached_tokens bigint, cache_write_tokens bigint, reasoning_tokens bigint,
      usage_source text, cost_nano_usd bigint, outcome text, error_code text, finish_reason text, status int,
      latency_ms double precision, first_token_ms double precision, overhead_ms double precision, layers json, attempts json,
      finished_at timestamptz
    );

    grant select, insert, update on holdfast.settings to holdfast_operator;
    grant select on holdfast.instances to holdfast_operator;
    grant insert, select (id), update (seen_at) on holdfast.instances to holdfast_writer;
    grant select, delete on holdfast.instances to holdfast_jobs;

    -- The id alone is readable for the writer, because ON CONFLICT (id) DO NOTHING reads it.
    grant insert, select (id) on holdfast.calls, holdfast.call_intents to holdfast_writer;
    grant select on holdfast.calls to holdfast_app, holdfast_operator;
    grant insert, select (id) on holdfast.calls to holdfast_jobs;
    grant select, delete on holdfast.call_intents to holdfast_jobs;

    alter table holdfast.calls enable row level security, force row level security;
    create policy app_own on holdfast.calls for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy operator_read on holdfast.calls for select to holdfast_operator using (true);
    create policy writer_insert on holdfast.calls for insert to holdfast_writer with check (true);
    create policy writer_conflict on holdfast.calls for select to holdfast_writer using (true);
    create policy jobs_insert on holdfast.calls for insert to holdfast_jobs with check (true);
    create policy jobs_conflict on holdfast.calls for select to holdfast_jobs using (true);

    alter table holdfast.call_intents enable row level security, force row level security;
    create policy writer_insert on holdfast.call_intents for insert to holdfast_writer with check (true);
    create policy writer_conflict on holdfast.call_intents for select to holdfast_writer using (true);
    create policy jobs_read on holdfast.call_intents for select to holdfast_jobs using (true);
    create policy jobs_settle on holdfast.call_intents for delete to holdfast_jobs using (true);
  `.execute(database);
}

import { maxAuditEventBytes } from '@holdfast/kit/audit';
import { instanceSeries } from '../log-head.ts';
import { countedWaiting } from '../sequencer/index.ts';

/** Any number that is no other lock's. */
const sequencerLock = 4_711_100_001;

export const survey = {
  name: 'holdfast_audit_survey',
  text: `select case when $1::boolean then true else pg_try_advisory_lock(${sequencerLock}) end as elected, state.epoch, state.size,
      oldest.seq as oldest_seq, greatest(0, extract(epoch from clock_timestamp() - oldest.arrived_at) * 1000)::float8 as oldest_waited_ms,
      (select count(*) from (select from holdfast.audit_inbox limit ${countedWaiting}) as counted) as waiting
    from holdfast.audit_state as state
      left join lateral (select seq, arrived_at from holdfast.audit_inbox order by seq limit 1) as oldest on true`,
};

export const claim = `update holdfast.audit_state set epoch = epoch + 1 returning log_id, epoch, size, root, tail`;

/** Bytes of bodies that are read at once; one event is, whatever its size. */
const maxReadBytes = 16 * 1_024 * 1_024;

/** Beyond its bound a body is not sent: the table refuses such, but a table can be changed. */
export const readWaiting = {
  name: 'holdfast_audit_waiting',
  text: `select batch.seq, batch.id, batch.organization_id, batch.body, series.last_number, logged.number as logged_number, logged.leaf as logged_leaf
    from (
      select *, sum(octet_length(body)) over (order by seq) as bytes, row_number() over (order by seq) as place
      from (
        select seq, id, organization_id, case when octet_length(body) <= ${maxAuditEventBytes} then body end as body
        from holdfast.audit_inbox where seq <> all ($2::bigint[]) order by seq limit $1::bigint
      ) as oldest
    ) as batch
      left join lateral (select number, leaf from holdfast.audit_log where id = batch.id limit 1) as logged on true
      left join lateral (
        select last_number from holdfast.audit_series
        where organization_id = coalesce(batch.organization_id, '${instanceSeries}') limit 1
      ) as series on true
    where batch.place = 1 or batch.bytes <= ${maxReadBytes}
    order by batch.seq`,
};

const leafColumns = `index, id, organization_id, number, at, type, outcome, actor_type, actor_id, user_id, resource_type, resource_id, request_id, leaf`;
export const leafType = 'holdfast.audit_leaf_1';

/**
 * All of a batch in one statement, which is a transaction: a sequencer that stands still never does so with one open. The first part is the
 * fence, and the others write nothing without it: who waited at its lock for another election's claim finds that the row has changed.
 */
export const commit = {
  name: 'holdfast_audit_commit',
  text: `with fence as (
      update holdfast.audit_state set size = $3::bigint, root = $4::bytea, tail = $5::bytea
      where epoch = $1::bigint and size = $2::bigint returning size
    ), logged as (
      insert into holdfast.audit_log (${leafColumns})
      select ${leafColumns} from unnest($6::${leafType}[]) where exists (select from fence)
    ), numbered as (
      insert into holdfast.audit_series (organization_id, last_number)
      select organization_id, last_number from unnest($7::uuid[], $8::bigint[]) as series (organization_id, last_number)
      where exists (select from fence)
      on conflict (organization_id) do update set last_number = excluded.last_number
    ), tiled as (
      insert into holdfast.audit_nodes (level, index, root, hashes)
      select level, index, root, hashes from unnest($9::smallint[], $10::bigint[], $11::bytea[], $12::bytea[]) as tile (level, index, root, hashes)
      where exists (select from fence)
    ), signed as (
      insert into holdfast.audit_checkpoints (size, note) select $3::bigint, $13::text where $13::text is not null and exists (select from fence)
    ), rejected as (
      insert into holdfast.audit_rejected (seq, id, organization_id, reason, body)
      select inbox.seq, inbox.id, inbox.organization_id, rejected.reason, inbox.body
      from unnest($14::bigint[], $15::text[]) as rejected (seq, reason) join holdfast.audit_inbox as inbox using (seq)
      where exists (select from fence)
    ), taken as (
      delete from holdfast.audit_inbox where seq = any ($16::bigint[]) and exists (select from fence)
    )
    select count(*) from fence`,
};

/** Keys are made by whoever is elected first. */
export const addKey = `insert into holdfast.audit_keys (verifier_key, kind, from_size, sealed_private_key)
  select $2::text, $3::text, size, $4::bytea from holdfast.audit_state where epoch = $1::bigint on conflict do nothing`;

export const readKeys = `select verifier_key, kind, sealed_private_key from holdfast.audit_keys where to_size is null order by kind`;

export const releaseLock = `select pg_advisory_unlock_all()`;

/**
 * Tables grow from nothing between two looks of the planner, which would go on reading a small one from its beginning. What the planner is told not to do
 * it gives a price beyond any other, for which PostgreSQL would compile each statement to machine code: half a second each.
 */
export const prepareSession = `select set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)`;

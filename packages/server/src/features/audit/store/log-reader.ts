import { sql, type Kysely } from 'kysely';
import {
  formatProof,
  hashBytes,
  planConsistencyProof,
  planInclusionProof,
  planTileReads,
  tileWidth,
  type SignedSize,
  type TreeNode,
} from '@holdfast/kit/audit';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Schema } from '../../../platform/postgres/index.ts';
import { originOf } from '../log-head.ts';

export interface LogState {
  /** The name that the log signs under. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** The first place of which the event is still here; hashes of all are. */
  readonly firstIndex: number;
}

/** A key that signs, or signed, checkpoints. Public. */
export interface LogKey {
  readonly verifierKey: string;
  readonly kind: 'ed25519' | 'mlDsa44';
  readonly createdAt: Date;
  /** The size of the log when it began to sign. */
  readonly fromSize: number;
  /** The last size that it signed; null while it signs. */
  readonly toSize: number | null;
}

export interface ProvedEvent {
  readonly index: number;
  readonly id: string;
  readonly organizationId: string | null;
  readonly leaf: string;
  /** A `tlog-proof@v1` file with the event inside. */
  readonly file: string;
}

/** What is stored of the log, and proofs of it. Each proof reads at most eight tiles at 10^9 events, in two statements. */
export interface LogReader {
  state(): Promise<LogState>;
  /** Every key there ever was, the oldest first. */
  keys(): Promise<LogKey[]>;
  /** Undefined while the log is empty. */
  latestCheckpoint(): Promise<SignedSize | undefined>;
  /** The first that is kept of at least this size. */
  checkpointFrom(size: number): Promise<SignedSize | undefined>;
  /** Hashes of perfect subtrees, in the order asked for. Throws a `RangeError` for one that the log has not. */
  readNodes(nodes: readonly TreeNode[]): Promise<Buffer[]>;
  /** That an event is in the log of the latest checkpoint. Undefined when it is not here, or not to be seen by whoever asks. */
  proveEvent(event: { readonly id: string } | { readonly index: number }): Promise<ProvedEvent | undefined>;
  /** That the log of `older` events is the beginning of that of `newer`. Throws a `RangeError` when there are not so many. */
  proveConsistency(older: number, newer: number): Promise<Buffer[]>;
}

interface TileRow {
  readonly level: number;
  readonly index: number;
  readonly root: Buffer;
  readonly hashes: Buffer | null;
}

/**
 * Reads as whoever `on` is: an organization's transaction sees its own events only, while hashes, checkpoints and public keys are everybody's; the
 * operator sees all.
 */
export function createLogReader(on: Kysely<Schema>): LogReader {
  async function state(): Promise<LogState & { readonly tail: Buffer }> {
    const row = await on.selectFrom('holdfast.audit_state').select(['log_id', 'size', 'root', 'tail', 'first_index']).executeTakeFirst();
    if (row === undefined) throw new HoldfastError('audit_log_damaged', { detail: 'audit_state has no row' });
    return { origin: originOf(row.log_id), size: row.size, root: row.root, tail: row.tail, firstIndex: row.first_index };
  }

  /** Tiles are only added, so that what is read after a state has at least what that state speaks of. */
  async function nodesOf(nodes: readonly TreeNode[], size: number, tail: Buffer): Promise<Buffer[]> {
    const reads = planTileReads(nodes, size);
    const pending = reads.pending.filter(({ level, count }) => level > 0 && count > 0);
    const rows =
      reads.tiles.length + pending.length === 0
        ? []
        : (
            await sql<TileRow>`
              select tile.level, tile.index, tile.root, tile.hashes
              from unnest(${reads.tiles.map(({ level }) => level)}::smallint[], ${reads.tiles.map(({ index }) => index)}::bigint[]) as wanted (level, index)
                join holdfast.audit_nodes as tile on tile.level = wanted.level and tile.index = wanted.index
              union all
              select tile.level, tile.index, tile.root, null
              from unnest(${pending.map(({ level }) => level - 1)}::smallint[], ${pending.map(({ begin }) => begin)}::bigint[],
                  ${pending.map(({ begin, count }) => begin + count)}::bigint[]) as wanted (level, begin_index, end_index)
                join holdfast.audit_nodes as tile
                  on tile.level = wanted.level and tile.index >= wanted.begin_index and tile.index < wanted.end_index`.execute(on)
          ).rows;
    const whole = new Map<string, Buffer>();
    const roots = new Map<number, { index: number; root: Buffer }[]>();
    for (const { level, index, root, hashes } of rows) {
      if (hashes !== null) whole.set(`${level}/${index}`, hashes);
      else roots.set(level, [...(roots.get(level) ?? []), { index, root }]);
    }
    const missing = (what: string) => new HoldfastError('audit_log_damaged', { detail: `${what} is missing` });
    return reads.resolve(({ level, index }) => {
      if (index !== 'pending') {
        const hashes = whole.get(`${level}/${index}`);
        if (hashes?.length !== tileWidth * hashBytes) throw missing(`tile ${level}/${index}`);
        return hashes;
      }
      if (level === 0) return tail;
      const { begin, count } = reads.pending.find((each) => each.level === level)!;
      const found = (roots.get(level - 1) ?? []).sort((a, b) => a.index - b.index);
      if (found.length !== count || found.some((each, at) => each.index !== begin + at)) throw missing(`a tile of level ${level - 1}`);
      return Buffer.concat(found.map(({ root }) => root));
    });
  }

  const checkpoints = () => on.selectFrom('holdfast.audit_checkpoints').select(['size', 'note']).limit(1);

  return {
    async state() {
      const { tail: _, ...rest } = await state();
      return rest;
    },

    async keys() {
      const rows = await on
        .selectFrom('holdfast.audit_keys')
        .select(['verifier_key', 'kind', 'created_at', 'from_size', 'to_size'])
        .orderBy('from_size')
        .orderBy('kind')
        .execute();
      return rows.map(({ verifier_key, kind, created_at, from_size, to_size }) => ({
        ...{ verifierKey: verifier_key, kind, createdAt: created_at, fromSize: from_size, toSize: to_size },
      }));
    },

    latestCheckpoint: () => checkpoints().orderBy('size', 'desc').executeTakeFirst(),

    checkpointFrom: (size) => checkpoints().where('size', '>=', size).orderBy('size').executeTakeFirst(),

    async readNodes(nodes) {
      const { size, tail } = await state();
      return nodesOf(nodes, size, tail);
    },

    async proveEvent(event) {
      const found = await on
        .selectFrom('holdfast.audit_log as log')
        .innerJoin('holdfast.audit_state as state', (join) => join.onTrue())
        .innerJoin(
          (from) => from.selectFrom('holdfast.audit_checkpoints').select(['size', 'note']).orderBy('size', 'desc').limit(1).as('signed'),
          (join) => join.onTrue(),
        )
        .select([
          'log.index',
          'log.id',
          'log.organization_id',
          'log.leaf',
          'state.size as stored',
          'state.tail',
          'signed.size',
          'signed.note',
        ])
        .$if('id' in event, (query) => query.where('log.id', '=', (event as { id: string }).id))
        .$if('index' in event, (query) => query.where('log.index', '=', (event as { index: number }).index))
        .executeTakeFirst();
      if (found === undefined) return undefined;
      const { index, id, organization_id, leaf, stored, tail, size, note } = found;
      const plan = planInclusionProof(index, size);
      const proof = plan.prove(await nodesOf(plan.nodes, stored, tail));
      return {
        index,
        id,
        organizationId: organization_id,
        leaf,
        file: formatProof({ index, proof, checkpoint: note, extra: Buffer.from(leaf) }),
      };
    },

    async proveConsistency(older, newer) {
      const { size, tail } = await state();
      if (newer > size) throw new RangeError(`the log has ${size} events, not ${newer}`);
      const plan = planConsistencyProof(older, newer);
      return plan.prove(await nodesOf(plan.nodes, size, tail));
    },
  };
}

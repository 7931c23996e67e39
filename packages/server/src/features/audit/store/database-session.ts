import type pg from 'pg';
import { hashBytes, pendingNodes, tileLevels, TiledTree, type CheckpointSigner } from '@holdfast/kit/audit';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import { withinDeadline } from '../../../platform/change-feed/index.ts';
import type { KeyRing } from '../../../platform/keyring/index.ts';
import { compositeArray, CompositeWriter, mapDatabaseError, observeQuery, type Database } from '../../../platform/postgres/index.ts';
import { generateSealedKey, keyKinds, openSigner } from '../checkpoint-keys.ts';
import { originOf, type LogHead } from '../log-head.ts';
import { maintainLog, type MaintainOptions } from './maintain.ts';
import type { RunStatement } from './run-statement.ts';
import * as statements from './statements.ts';
import type { LogGrowth, LogSurvey, PlacedLeaf, SequencerSession, WaitingEvent } from '../sequencer/index.ts';

export interface DatabaseSessionOptions extends MaintainOptions {
  readonly database: Pick<Database, 'pool' | 'query'>;
  readonly keyRing: KeyRing;
  readonly random: Random;
}

/** How long anything may take before the connection is given up, in milliseconds. */
const answerTimeoutMs = 20_000;

/** A connection of the role `sequencer` to PostgreSQL. */
export async function openDatabaseSession(options: DatabaseSessionOptions): Promise<SequencerSession> {
  const { database, clock } = options;
  const client = await database
    .pool('sequencer')
    .connect()
    .catch((error: unknown) => {
      throw mapDatabaseError(error);
    });
  // What happens between two statements shows at the next one.
  client.on('error', () => {});
  const run: RunStatement = async <Row extends pg.QueryResultRow>(
    statement: string | { readonly name: string; readonly text: string },
    values: readonly unknown[] = [],
  ) => {
    const query = typeof statement === 'string' ? { text: statement } : statement;
    const { rows } = await observeQuery({ role: 'sequencer', statement: query.text, clock }, () =>
      withinDeadline(clock, answerTimeoutMs, 'a statement of the audit log', client.query<Row>({ ...query, values: [...values] })),
    );
    return rows;
  };
  let elected = false;
  let leafOid = 0;

  async function close(): Promise<void> {
    if (elected) await run(statements.releaseLock).catch(() => {});
    client.release(true);
  }

  try {
    await run(statements.prepareSession);
    leafOid = (await run<{ oid: number }>(`select '${statements.leafType}'::regtype::oid as oid`))[0]!.oid;
  } catch (error) {
    await close();
    throw error;
  }

  return {
    async survey(): Promise<LogSurvey> {
      const [row] = await run<SurveyRow>(statements.survey, [elected]);
      if (row === undefined) throw damaged('audit_state has no row');
      elected = row.elected;
      return {
        elected,
        epoch: row.epoch,
        size: row.size,
        oldestSeq: row.oldest_seq ?? undefined,
        oldestWaitedMs: row.oldest_waited_ms ?? 0,
        waiting: row.waiting,
      };
    },

    async claim(): Promise<LogHead> {
      const [row] = await run<StateRow>(statements.claim);
      if (row === undefined) throw damaged('audit_state has no row');
      const { log_id, epoch, size, root, tail } = row;
      const origin = originOf(log_id);
      const pending = await readPending(run, size, tail);
      await assertWhole(run, size, root, pending);
      return { origin, epoch, size, root, pending, signers: await openSigners(run, origin, epoch, options) };
    },

    async readWaiting(limit, without) {
      const rows = await run<WaitingRow>(statements.readWaiting, [limit, [...without]]);
      return rows.map(waitingEvent);
    },

    async commit(growth) {
      const [row] = await run<{ count: number }>(statements.commit, commitValues(growth, leafOid));
      return row!.count === 1;
    },

    maintain: (epoch) => maintainLog(run, epoch, options),
    close,
  };
}

interface SurveyRow {
  readonly elected: boolean;
  readonly epoch: number;
  readonly size: number;
  readonly oldest_seq: number | null;
  readonly oldest_waited_ms: number | null;
  readonly waiting: number;
}

interface StateRow {
  readonly log_id: string;
  readonly epoch: number;
  readonly size: number;
  readonly root: Buffer;
  readonly tail: Buffer;
}

interface WaitingRow {
  readonly seq: number;
  readonly id: string;
  readonly organization_id: string | null;
  readonly body: string | null;
  readonly last_number: number | null;
  readonly logged_number: number | null;
  readonly logged_leaf: string | null;
}

function waitingEvent(row: WaitingRow): WaitingEvent {
  return {
    seq: row.seq,
    id: row.id,
    organizationId: row.organization_id,
    body: row.body ?? undefined,
    lastNumber: row.last_number ?? 0,
    logged: row.logged_leaf === null ? undefined : { number: row.logged_number!, leaf: row.logged_leaf },
  };
}

async function readPending(run: RunStatement, size: number, tail: Buffer): Promise<Buffer[]> {
  const pending: Buffer[] = [];
  for (let level = 0; level < tileLevels(size); level++) {
    const { begin, count } = pendingNodes(size, level);
    if (level === 0) {
      pending.push(tail);
      continue;
    }
    const rows = await run<{ index: number; root: Buffer }>(
      `select index, root from holdfast.audit_nodes where level = $1 and index >= $2 order by index`,
      [level - 1, begin],
    );
    // Tiles are written with the size that has them: one too many or too few is not ours.
    if (rows.length !== count || rows.some(({ index }, at) => index !== begin + at))
      throw damaged(`tiles of level ${level - 1} are missing`);
    pending.push(Buffer.concat(rows.map((row) => row.root)));
  }
  if (pending.length > 0 && tail.length !== pendingNodes(size, 0).count * hashBytes)
    throw damaged('the tail has another length than the size');
  return pending;
}

/** What is not the log that was signed last must not be signed: two checkpoints that contradict each other convict whoever keeps the log. */
async function assertWhole(run: RunStatement, size: number, root: Buffer, pending: readonly Buffer[]): Promise<void> {
  if (!new TiledTree(size, pending).root().equals(root)) throw damaged('the hashes have another root than the state');
  const [last] = await run<{ size: number; note: string }>(`select size, note from holdfast.audit_checkpoints order by size desc limit 1`);
  if (last === undefined) return;
  if (last.size > size) throw damaged(`a log of ${last.size} events was signed, and this one has ${size}`);
  if (last.size === size && last.note.split('\n')[2] !== root.toString('base64')) throw damaged('another root was signed for this size');
}

async function openSigners(run: RunStatement, origin: string, epoch: number, options: DatabaseSessionOptions): Promise<CheckpointSigner[]> {
  const { keyRing, random } = options;
  const read = () => run<{ verifier_key: string; kind: (typeof keyKinds)[number]; sealed_private_key: Buffer }>(statements.readKeys);
  let rows = await read();
  const missing = keyKinds.filter((kind) => !rows.some((row) => row.kind === kind));
  for (const kind of missing) {
    const key = generateSealedKey(kind, origin, keyRing, random);
    if (key) await run(statements.addKey, [epoch, key.verifierKey, kind, key.sealed]);
  }
  if (missing.length > 0) rows = await read();
  const signers = rows.flatMap(
    ({ verifier_key, kind, sealed_private_key }) =>
      openSigner({ verifierKey: verifier_key, kind, sealed: sealed_private_key }, origin, keyRing) ?? [],
  );
  if (signers.length === 0) throw new HoldfastError('internal_error', { detail: 'the audit log has no key that this Node can sign with' });
  return signers;
}

function commitValues(growth: LogGrowth, leafOid: number): unknown[] {
  const { epoch, oldSize, size, root, tail, leaves, lastNumbers, tiles, note, rejected, seqs } = growth;
  return [
    ...[epoch, oldSize, size, root, tail, compositeArray(leafOid, leaves.map(leafBytes))],
    ...[[...lastNumbers.keys()], [...lastNumbers.values()]],
    ...[
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      tiles.map((tile) => tile.root),
      tiles.map(({ hashes }) => hashes),
    ],
    ...[note ?? null, rejected.map(({ seq }) => seq), rejected.map(({ reason }) => reason), seqs],
  ];
}

const writer = new CompositeWriter();

/** A value of `holdfast.audit_leaf_1`. */
function leafBytes(leaf: PlacedLeaf): Buffer {
  return writer
    .begin()
    .int8(leaf.index)
    .uuid(leaf.id)
    .uuid(leaf.organizationId ?? undefined)
    .int8(leaf.number)
    .timestamptz(leaf.atMs)
    .text(leaf.type)
    .text(leaf.outcome)
    .text(leaf.actorType)
    .text(leaf.actorId)
    .uuid(leaf.userId)
    .text(leaf.resourceType)
    .text(leaf.resourceId)
    .text(leaf.requestId)
    .text(leaf.leaf)
    .end();
}

function damaged(detail: string): HoldfastError {
  return new HoldfastError('audit_log_damaged', { detail });
}

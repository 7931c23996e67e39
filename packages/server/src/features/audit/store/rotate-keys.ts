import { signCheckpoint, TiledTree, type AuditEvent, type CheckpointSigner } from '@holdfast/kit/audit';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { generateSealedKey, keyKinds, openSigner, type SealedKey } from '../checkpoint-keys.ts';
import { instanceSeries, type LogHead } from '../log-head.ts';
import { placeEvents, type WaitingEvent } from '../sequencer/index.ts';
import { claimLog, type ClaimOptions } from './claim-log.ts';
import { commitGrowth } from './commit-growth.ts';
import { openConnection, type ConnectionOptions, type LogConnection } from './connection.ts';
import { readWaiting } from './read-waiting.ts';

export interface RotateKeysOptions extends ClaimOptions, ConnectionOptions {
  readonly clock: Clock;
  readonly createId: () => string;
  /** The event of the type `audit.keys_rotated`, of the instance, with these details: the caller knows who does it. Its text as it is logged. */
  readonly event: (details: RotationDetails) => AuditEvent;
}

export interface RotationDetails {
  readonly retired: readonly string[];
  readonly added: readonly string[];
}

export interface RotatedKeys {
  /** Verifier keys that sign no more. What they signed stays valid. */
  readonly retired: readonly string[];
  /** Those that verifiers have to be given from now on. */
  readonly added: readonly string[];
  /** Signed by the retired and the new ones, over a log that ends with the event that names the new ones. */
  readonly checkpoint: string;
}

/** Events that get their places with the rotation, at a time. */
const pageSize = 2_000;

/**
 * Replaces the keys that sign checkpoints, in one transaction with the event that says so. That event is in the log of the last checkpoint that the
 * old keys sign, which is the first of the new ones: whoever trusts the old ones learns the new ones from it. The private halves of the old ones
 * are deleted. Whoever is elected is fenced off by it, and begins anew with the new keys.
 *
 * A breakdown leaves everything as it was, or done; `keys` says which. Repeating it rotates once more, which harms nothing.
 */
export async function rotateLogKeys(options: RotateKeysOptions): Promise<RotatedKeys> {
  const connection = await openConnection(options);
  try {
    await connection.run('begin');
    const rotated = await rotate(connection, options);
    await connection.run('commit');
    return rotated;
  } finally {
    // Without a commit this undoes everything.
    connection.release();
  }
}

async function rotate(connection: LogConnection, options: RotateKeysOptions): Promise<RotatedKeys> {
  const { run } = connection;
  const head = await claimLog(run, options);
  const tree = new TiledTree(head.size, head.pending);
  // What was handed over before has its place before.
  for (;;) {
    const waiting = await readWaiting(run, pageSize, []);
    if (waiting.length > 0) await grow(connection, head, tree, waiting, head.signers, options);
    if (waiting.length < pageSize) break;
  }
  const keys = keyKinds.flatMap((kind) => generateSealedKey(kind, head.origin, options.keyRing, options.random) ?? []);
  const retired = await replaceKeys(connection, tree.size + 1, keys);
  const added = keys.map(({ verifierKey }) => verifierKey);
  const event = options.event({ retired, added });
  const [series] = await run<{ last_number: number }>(`select last_number from holdfast.audit_series where organization_id = $1`, [
    instanceSeries,
  ]);
  const row: WaitingEvent = {
    ...{ seq: 0, id: event.id, organizationId: event.organization_id, body: JSON.stringify(event) },
    ...{ lastNumber: series?.last_number ?? 0, logged: undefined },
  };
  const signers = [...head.signers, ...keys.flatMap((key) => openSigner(key, head.origin, options.keyRing) ?? [])];
  return { retired, added, checkpoint: (await grow(connection, head, tree, [row], signers, options))! };
}

async function replaceKeys({ run }: LogConnection, size: number, keys: readonly SealedKey[]): Promise<string[]> {
  const retired = await run<{ verifier_key: string }>(
    `update holdfast.audit_keys set to_size = $1, sealed_private_key = null where to_size is null returning verifier_key`,
    [size],
  );
  for (const { verifierKey, kind, sealed } of keys) {
    await run(`insert into holdfast.audit_keys (verifier_key, kind, from_size, sealed_private_key) values ($1, $2, $3, $4)`, [
      ...[verifierKey, kind, size, sealed],
    ]);
  }
  return retired.map((row) => row.verifier_key);
}

async function grow(
  { run, leafOid }: LogConnection,
  { origin, epoch }: LogHead,
  tree: TiledTree,
  waiting: readonly WaitingEvent[],
  signers: readonly CheckpointSigner[],
  { clock, createId }: RotateKeysOptions,
): Promise<string | undefined> {
  const oldSize = tree.size;
  const now = () => new Date(clock.now()).toISOString();
  const batch = await placeEvents(waiting, tree, { createId, now, breathe: () => Promise.resolve(), refused: new Set() });
  const root = tree.root();
  const note =
    tree.size === oldSize ? undefined : signCheckpoint({ origin, size: tree.size, root }, signers, Math.floor(clock.now() / 1_000));
  const growth = { ...batch, epoch, oldSize, size: tree.size, root, tail: tree.tail, tiles: tree.takeTiles(), note };
  // The state's row is ours since the claim, so that nobody can come between.
  if (!(await commitGrowth(run, growth, leafOid)))
    throw new HoldfastError('internal_error', { detail: 'the audit log was written past its lock' });
  return note;
}

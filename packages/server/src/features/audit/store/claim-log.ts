import { hashBytes, pendingNodes, tileLevels, TiledTree, type CheckpointSigner } from '@holdfast/kit/audit';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Random } from '@holdfast/kit/time';
import type { KeyRing } from '../../../platform/keyring/index.ts';
import { generateSealedKey, keyKinds, openSigner } from '../checkpoint-keys.ts';
import { originOf, type LogHead } from '../log-head.ts';
import type { RunStatement } from './run-statement.ts';
import * as statements from './statements.ts';

export interface ClaimOptions {
  readonly keyRing: KeyRing;
  readonly random: Random;
}

/** Begins an election's time, and reads what is needed to continue the log. Throws `audit_log_damaged` when it must not be. */
export async function claimLog(run: RunStatement, options: ClaimOptions): Promise<LogHead> {
  const [row] = await run<StateRow>(statements.claim);
  if (row === undefined) throw damaged('audit_state has no row');
  const { log_id, epoch, size, root, tail } = row;
  const origin = originOf(log_id);
  const pending = await readPending(run, size, tail);
  await assertWhole(run, size, root, pending);
  return { origin, epoch, size, root, pending, signers: await openSigners(run, origin, epoch, options) };
}

interface StateRow {
  readonly log_id: string;
  readonly epoch: number;
  readonly size: number;
  readonly root: Buffer;
  readonly tail: Buffer;
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

async function openSigners(run: RunStatement, origin: string, epoch: number, options: ClaimOptions): Promise<CheckpointSigner[]> {
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

export function damaged(detail: string): HoldfastError {
  return new HoldfastError('audit_log_damaged', { detail });
}

import type { CheckpointSigner } from '@holdfast/kit/audit';

/** The instance's own series is kept under this one. */
export const instanceSeries = '00000000-0000-0000-0000-000000000000';

/** The name that a log signs under: no two logs share one, also where a database was copied from another's template. */
export function originOf(logId: string): string {
  return `holdfast/${logId}`;
}

/** The log as the store has it, for whoever was elected. */
export interface LogHead {
  readonly origin: string;
  /** The election: whatever is written under an older one is refused. */
  readonly epoch: number;
  readonly size: number;
  readonly root: Buffer;
  /** For each level of tiles the hashes behind its last whole tile; see `TiledTree`. */
  readonly pending: readonly Buffer[];
  readonly signers: readonly CheckpointSigner[];
}

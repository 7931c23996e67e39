import { randomFillSync } from 'node:crypto';

/** Source of chance, passed in like the clock. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `length` bytes fit for secrets. */
  bytes(length: number): Buffer;
}

export const systemRandom: Random = Object.freeze({
  next: () => Math.random(),
  bytes: (length: number) => randomFillSync(Buffer.allocUnsafe(length)),
});

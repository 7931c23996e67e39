import type { SharedBreakerState } from '../../store.ts';

/** Milliseconds left as the scripts have them: -1 for ever. */
export function writeLeft(recoveryMs: number): string {
  return recoveryMs === Number.POSITIVE_INFINITY ? '-1' : String(Math.ceil(recoveryMs));
}

/** Undefined where there is none. */
export function readState(generation: unknown, state: unknown, left: unknown, byHand: unknown): SharedBreakerState | undefined {
  const leftMs = Number(left);
  if (!(Number(generation) > 0) || (state !== 'open' && state !== 'closed') || Number.isNaN(leftMs)) return undefined;
  return { generation: Number(generation), state, recoveryMs: leftMs < 0 ? Number.POSITIVE_INFINITY : leftMs, byHand: byHand === '1' };
}

export interface ChangeMessage {
  readonly epoch: string;
  readonly name: string;
  readonly state: SharedBreakerState;
}

/** Undefined when it is none of ours: anybody may publish anything on a channel. */
export function readMessage(text: string): ChangeMessage | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [epoch, name, generation, word, left, byHand] = parts as readonly unknown[];
  const state = readState(generation, word, left, byHand);
  return typeof epoch === 'string' && typeof name === 'string' && state ? { epoch, name, state } : undefined;
}

import type { CheckResult } from '@holdfast/kit/health';
import type { LoadSignal } from '@holdfast/kit/resilience';

const words: Readonly<Record<string, readonly [well: string, unwell: string, unit: string]>> = Object.freeze({
  event_loop_delay: ['turns in time', 'is late', 'ms'],
  heap: ['has room', 'is nearly full', 'bytes'],
  memory: ['has room', 'is nearly used up', 'bytes'],
});

/** One sign of load of this process, as a check: it is not well beyond its limit. */
export function createLoadCheck({ name, read, limit }: Pick<LoadSignal, 'name' | 'read' | 'limit'>): () => Promise<CheckResult> {
  const [well, unwell, unit] = words[name] ?? ['is within its limit', 'is beyond its limit', ''];
  return async () => {
    const value = read();
    const measurement = { name: unit === 'ms' ? 'delay' : 'used', value: Math.round(value * 1_000) / 1_000, unit };
    if (value <= limit) return { message: well, measurement };
    return { status: 'degraded', message: unwell, detail: `${unwell}: ${Math.round(value)} ${unit} of ${Math.round(limit)}`, measurement };
  };
}

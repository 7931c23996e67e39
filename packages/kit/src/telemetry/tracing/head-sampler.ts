import { HoldfastError } from '../../errors/index.ts';
import type { TraceParent } from './trace-parent.ts';

/** Names and meaning are OpenTelemetry's (`OTEL_TRACES_SAMPLER`). */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type SamplerName = (typeof samplerNames)[number];

/** Decides at the beginning of a request whether its trace is kept, whatever becomes of it. */
export type HeadSampler = (traceId: string, parent: TraceParent | undefined) => boolean;

/** `ratio` is of the samplers by ratio: from 0 to 1. Throws `configuration_invalid`. */
export function createHeadSampler(name: SamplerName, ratio: number): HeadSampler {
  if (!samplerNames.includes(name))
    throw new HoldfastError('configuration_invalid', {
      detail: `there is no sampler "${name}": use one of ${samplerNames.join(', ')}`,
    });
  if (!(ratio >= 0 && ratio <= 1))
    throw new HoldfastError('configuration_invalid', { detail: `the ratio of a sampler is a number from 0 to 1, not ${String(ratio)}` });
  const own = ownDecision(name.replace('parentbased_', '') as 'always_on' | 'always_off' | 'traceidratio', ratio);
  return name.startsWith('parentbased_') ? (traceId, parent) => parent?.sampled ?? own(traceId) : own;
}

function ownDecision(name: 'always_on' | 'always_off' | 'traceidratio', ratio: number): (traceId: string) => boolean {
  if (name === 'always_on') return () => true;
  if (name === 'always_off') return () => false;
  // By the 56 bits of the id that level 2 of the standard says are random, so that every service of a trace decides alike.
  // Texts of one length and one case are in the order of their numbers.
  if (ratio === 1) return () => true;
  const limit = Math.ceil(ratio * 2 ** 56)
    .toString(16)
    .padStart(14, '0');
  return (traceId) => traceId.slice(18) < limit;
}

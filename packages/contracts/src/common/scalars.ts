import { z } from 'zod';

export const timestamp = z.iso.datetime().meta({
  description: 'RFC 3339, in UTC.',
  examples: ['2026-11-20T09:33:28.114Z'],
});

export const uuid = z.uuid().meta({ examples: ['019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10'] });

/** Request ids that a client may choose; anything else is replaced by one of ours. */
export const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;

export const requestId = z.string().meta({
  description: 'The id of the request: the client’s own `x-request-id` when it was well formed, else one made by the server.',
  examples: ['019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10'],
});

export const traceId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .meta({
    description: 'Where the request was traced (W3C trace context); absent while tracing is off.',
    examples: ['0af7651916cd43dd8448eb211c80319c'],
  });

export const costNanoUsd = z
  .int()
  .nonnegative()
  .nullable()
  .meta({
    description: 'Cost in nano-dollars (10⁻⁹ US dollars). Null when the price of the model is not known, which is not the same as 0.',
    examples: [187_500],
  });

export const costUsd = z
  .string()
  .regex(/^\d+\.\d{9}$/)
  .nullable()
  .meta({ description: 'The same cost in dollars, as a string so that no digit is lost.', examples: ['0.000187500'] });

/** Nano-dollars as the string of dollars with nine decimals; exact, whatever the size. */
export function formatUsd(nanoUsd: number | bigint): string {
  const nano = BigInt(nanoUsd);
  const digits = (nano < 0n ? -nano : nano).toString().padStart(10, '0');
  return `${nano < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

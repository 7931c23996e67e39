import { HoldfastError } from '@holdfast/kit/errors';
import type { z } from 'zod';

/** What the options amount to, checked as the API would check it, so that both refuse the same. Throws `invalid_request`. */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, request: Readonly<Record<string, unknown>>): z.output<Schema> {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  throw new HoldfastError('invalid_request', { details });
}
